"""A lab: simulated providers and an engine, and a real LiteLLM in front of them."""
