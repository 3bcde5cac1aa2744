"""Tests of ``chaos.protocol.formats.responses``."""
