"""Mirrors the source; every module has its twin here."""
