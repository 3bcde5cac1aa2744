"""Tests of chaos.faults."""
