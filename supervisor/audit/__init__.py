"""What is wrong with a gateway, found without a model request; ``rules/`` is the list."""
