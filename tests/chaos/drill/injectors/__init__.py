"""Tests of ``chaos.drill.injectors``."""
