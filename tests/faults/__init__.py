"""Faults against Understudy itself: what is done to it, how often, and what it may not lose.

``make test`` does everything a few times; ``make test-faults`` as often as docs/reliability.md
says.
"""
