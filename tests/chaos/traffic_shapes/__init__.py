"""Tests of chaos.traffic_shapes."""
