"""Neighbours of the engine for tests: real servers and clocks, no mocks."""
