"""Tests of ``chaos.faults.kinds``."""
