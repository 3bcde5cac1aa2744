"""What a client reads of an answer."""

import json


def as_json(answer):
    """Read back what is sent."""
    return json.loads(answer.model_dump_json())
