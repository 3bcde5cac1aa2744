"""Tests of ``supervisor.setup``."""
