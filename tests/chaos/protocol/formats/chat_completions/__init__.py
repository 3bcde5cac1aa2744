"""Tests of ``chaos.protocol.formats.chat_completions``."""
