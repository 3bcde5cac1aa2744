"""Tests of ``chaos.protocol.dialects``."""
