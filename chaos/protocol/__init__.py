"""What LLM APIs say on the wire, read and written strictly; no I/O.

conversation (neutral form) ◄─► formats/ (one API each) ◄── dialects/ (a provider speaks some)
"""
