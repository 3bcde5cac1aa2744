"""Tests of ``supervisor.web``."""
