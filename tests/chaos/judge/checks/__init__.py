"""Tests of ``chaos.judge.checks``."""
