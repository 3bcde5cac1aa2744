"""The exchange of two engines."""
