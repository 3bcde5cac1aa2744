"""The parts of a twin."""
