"""Tests of alerts: what is sent, to whom, and what comes of it."""
