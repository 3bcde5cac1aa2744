"""How the tables came to be, one step per file, run by alembic.

To add one: a file ``rNNNN_what.py`` beside these, ``down_revision`` the newest before it, plain
``op`` calls that hold for SQLite (``op.batch_alter_table``) and PostgreSQL; never import
``tables``, which goes on changing. Raise ``HEAD`` there. What is published is never changed.
"""
