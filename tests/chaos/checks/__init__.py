"""Tests of the checks: each judges observations that were built, not drilled."""
