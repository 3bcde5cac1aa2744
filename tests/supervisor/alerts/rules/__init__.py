"""Tests of ``supervisor.alerts.rules``."""
