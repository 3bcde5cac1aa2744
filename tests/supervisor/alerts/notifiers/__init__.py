"""Tests of notifiers: every kind against a real server."""
