"""The corpus of real-world failures, its format, and what runs it."""
