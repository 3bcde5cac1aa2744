"""The first rollout file, from what runs today: a container, a Compose service, a recipe.

Each has one function that returns an ``Origin``; the command names them.
"""
