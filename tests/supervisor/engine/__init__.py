"""Tests of ``supervisor.engine``."""
