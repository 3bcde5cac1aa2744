"""Tests of ``chaos.protocol.json``."""
