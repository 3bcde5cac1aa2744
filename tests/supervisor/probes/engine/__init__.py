"""Tests of the engine probe."""
