"""How fast an engine is: measured by its client and by its own counters, kept, and compared.

    text ─► measure (warm-up, runs) ─► trust ─► Benchmark ─► compare ─► Comparison
              │           │
           stream      counters           conditions: what it ran on, and in which boot

A chunk is not a token, a single boot is not a configuration, and a figure that its own engine
does not confirm is not counted.
"""
