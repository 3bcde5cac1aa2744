"""Tests of ``supervisor.probes``."""
