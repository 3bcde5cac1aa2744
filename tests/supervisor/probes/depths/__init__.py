"""Tests of ``supervisor.probes.depths``."""
