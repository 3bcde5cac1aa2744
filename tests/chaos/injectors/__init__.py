"""Twins of chaos.injectors."""
