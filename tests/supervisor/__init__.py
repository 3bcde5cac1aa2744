"""Twins of supervisor."""
