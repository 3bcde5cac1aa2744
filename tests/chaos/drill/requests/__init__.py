"""What one drill sends."""
