"""Tests with a real vLLM on the CPU."""
