"""Tests of ``chaos.traffic.shapes``."""
