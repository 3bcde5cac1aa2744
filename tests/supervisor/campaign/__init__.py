"""Tests of ``supervisor.campaign``."""
