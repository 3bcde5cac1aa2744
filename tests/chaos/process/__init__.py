"""Tests of ``chaos.process``."""
