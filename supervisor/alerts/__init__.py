"""Alerts: rules decide from the snapshot, the outbox delivers, notifiers send.

status ─► rules ─► step (pure) ─► store: states, transitions, deliveries ─► outbox ─► notifiers
"""
