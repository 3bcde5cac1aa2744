"""Alerts in the store: how they stand, what was told, the outbox, silences, and failures."""
