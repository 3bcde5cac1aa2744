"""Twins of supervisor.commands."""
