"""Benchmarks and swaps of engines, for people and for programs."""
