"""A first configuration, from what the running gateway says."""
