"""Looks at parts of the running system: ``probe`` is the contract of what each one finds."""
