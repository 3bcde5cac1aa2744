"""Tests of ``supervisor.doctor``."""
