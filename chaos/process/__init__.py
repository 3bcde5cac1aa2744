"""Processes and environments of our own, which are gone when we are."""
