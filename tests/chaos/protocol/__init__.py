"""Tests of ``chaos.protocol``."""
