"""Tests of ``chaos.scenario``."""
