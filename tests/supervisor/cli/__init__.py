"""Tests of ``supervisor.cli``."""
