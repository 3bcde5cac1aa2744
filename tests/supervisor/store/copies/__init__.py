"""Tests of ``supervisor.store.copies``."""
