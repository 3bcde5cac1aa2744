"""Tests of ``supervisor.coverage``."""
