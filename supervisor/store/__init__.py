"""What survives a restart: drills, the ledger of paths, campaigns, halts and budgets.

    Store (async) ─► Database (one thread, one transaction per call) ─► drills, paths, halts, …

SQLite by default; PostgreSQL is another URL. Each subject is a file of plain functions that take
a connection; ``tables`` holds the tables, ``migrations`` how older ones become so. SQLAlchemy does
not leave this folder.

To change a table: change ``tables``, add a migration, raise ``HEAD``; the tests compare them.
"""
