"""The configuration file: its model, reading it, and what it means in sentences."""
