"""Tests of chaos.dialects."""
