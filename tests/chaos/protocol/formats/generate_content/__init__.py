"""Tests of ``chaos.protocol.formats.generate_content``."""
