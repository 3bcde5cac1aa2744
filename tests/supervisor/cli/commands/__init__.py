"""Tests of ``supervisor.cli.commands``."""
