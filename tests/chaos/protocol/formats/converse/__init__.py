"""Tests of ``chaos.protocol.formats.converse``."""
