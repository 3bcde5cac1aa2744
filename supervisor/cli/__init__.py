"""The command line; ``commands/`` is the list."""
