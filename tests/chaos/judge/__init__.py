"""Tests of ``chaos.judge``."""
