"""Tests of the systemd service."""
