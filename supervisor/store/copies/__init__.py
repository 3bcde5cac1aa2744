"""Copies of the store: made while it is in use, and put back."""
