"""``understudy run``: what is put together from everything else, and taken apart in order.

service     start and stop, in one visible order
worker      one turn after the other: what is due, drilled and written down
gateway     the gateway as it is now: read, compared, and what the ledger makes of it
board       the newest snapshot, the same for every reader
reload      a new configuration, all or nothing
"""
