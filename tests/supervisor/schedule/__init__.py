"""Tests of ``supervisor.schedule``."""
