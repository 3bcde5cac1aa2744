"""The reports of engines."""
