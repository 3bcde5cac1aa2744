"""Tests of ``supervisor.store.migrations``."""
