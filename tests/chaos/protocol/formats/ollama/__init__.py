"""Tests of Ollama's wire formats."""
