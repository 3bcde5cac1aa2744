"""Local inference engines: what they serve, what fits into them, how they were started."""
