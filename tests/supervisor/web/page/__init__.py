"""Tests of ``supervisor.web.page``."""
