"""Tests of ``supervisor.audit.rules``."""
