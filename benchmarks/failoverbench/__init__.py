"""failoverbench's sixteen scenarios with our faults, against the lab's LiteLLM.

Scenarios, checks and verdicts are those of github.com/failoverbench/failoverbench, methodology
0.1: ``scenarios.yaml`` has them as data, with what it published of the LiteLLM proxy.
"""
