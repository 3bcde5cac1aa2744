"""What is kept of engines."""
