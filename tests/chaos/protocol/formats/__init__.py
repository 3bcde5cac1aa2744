"""Tests of ``chaos.protocol.formats``."""
