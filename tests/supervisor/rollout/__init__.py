"""Swaps of engines."""
