"""Tests of ``supervisor.baseline``."""
