"""Tests of ``chaos.gateway``."""
