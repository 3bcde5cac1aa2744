"""Tests of ``chaos.protocol.formats.messages``."""
