"""While drills run: the file that grows with them, and what is said meanwhile."""
