"""What one drill sends: its request, further ones that tell what the outcome means, sequences."""
