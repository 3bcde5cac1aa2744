"""Tests of ``supervisor.reporting``."""
