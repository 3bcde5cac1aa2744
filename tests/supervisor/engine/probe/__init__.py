"""Tests of ``supervisor.engine.probe``."""
