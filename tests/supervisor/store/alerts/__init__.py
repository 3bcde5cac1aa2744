"""Tests of ``supervisor.store.alerts``."""
