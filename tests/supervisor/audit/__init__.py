"""Tests of ``supervisor.audit``."""
