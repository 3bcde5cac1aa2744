"""Twins of supervisor.audits."""
