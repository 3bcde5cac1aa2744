"""What LiteLLM is: its deployments, chains and settings, its file, its prices and its process.

config_file ─┐
client ──────┴─► topology_reader ─► topology, chain_order ─► scenarios, audits
"""
