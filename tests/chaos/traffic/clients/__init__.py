"""Tests of what each client sends."""
