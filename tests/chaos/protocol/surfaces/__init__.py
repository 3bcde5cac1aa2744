"""Tests of ``chaos.protocol.surfaces``."""
