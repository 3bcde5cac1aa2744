"""Tests of ``supervisor.store``."""
