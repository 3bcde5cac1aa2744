"""Tests of ``supervisor.web.endpoints``."""
