"""Tests of ``supervisor.settings``."""
