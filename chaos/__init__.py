"""The drill engine: rehearse a gateway's fallbacks and judge what really answered.

A library that knows nothing of daemons; ``supervisor`` is built on it, never the other way.
Modules are stages: each imports only stages before it (see ``pyproject.toml``, import-linter).
"""
