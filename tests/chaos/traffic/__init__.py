"""Tests of ``chaos.traffic``."""
