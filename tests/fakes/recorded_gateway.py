"""Answers of a real LiteLLM's own endpoints, recorded."""

import json
from pathlib import Path

RECORDED = Path(__file__).parents[1] / "data" / "recorded" / "gateway"


def recorded(name):
    """The body of a recorded answer of the real LiteLLM."""
    body = json.loads((RECORDED / f"{name}.json").read_text("utf-8"))["body"]
    return json.loads(body) if isinstance(body, str) else body
