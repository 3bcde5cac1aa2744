"""Tests of ``supervisor.probes.kinds``."""
