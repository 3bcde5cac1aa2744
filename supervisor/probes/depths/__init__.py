"""A look into an engine, depth by depth, the cheapest first; ``state`` judges what was seen.

look ─► steps ─► ask (HTTP) ─► seen ─► state, drift
"""
