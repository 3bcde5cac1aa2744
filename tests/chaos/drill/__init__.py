"""Tests of ``chaos.drill``."""
