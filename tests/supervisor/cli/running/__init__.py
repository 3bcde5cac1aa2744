"""Tests of ``supervisor.cli.running``."""
