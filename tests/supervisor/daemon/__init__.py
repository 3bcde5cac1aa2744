"""Tests of ``supervisor.daemon``."""
