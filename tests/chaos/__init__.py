"""Tests of the drill engine."""
