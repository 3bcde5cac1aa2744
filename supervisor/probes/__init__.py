"""Looks at parts of the running system.

probe (contract) ─► runner (when) ─► standing (what readings make of a part)

``kinds`` has one module for each kind of part, ``depths`` how deep an engine is looked into;
``own_health`` asks whether this machine is a judge at all, ``fallback_traffic`` who falls back.
"""
