"""Tests of ``chaos.witness``."""
