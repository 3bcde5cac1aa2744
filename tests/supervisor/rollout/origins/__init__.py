"""Tests of ``supervisor.rollout.origins``."""
