"""The tools that the smaller shapes offer, and how a prompt demands a call.

Arguments of many types, because parsers have broken each: strings, whole numbers, booleans,
a choice, and a list of strings.

Source: github.com/vllm-project/vllm/issues/38946, #39089, #39468, #41967, #47906.
"""

import json
from typing import Any

from chaos.protocol.conversation import Json, ToolSpec
from chaos.traffic.shape import ExpectedCall

RECORD_NOTE = ToolSpec(
    name="record_note",
    description="Record a note.",
    parameters={
        "type": "object",
        "properties": {
            "note": {"type": "string", "description": "The text of the note."},
            "count": {"type": "integer", "description": "How many copies to keep."},
            "urgent": {"type": "boolean", "description": "Whether somebody must see it today."},
            "priority": {"type": "string", "enum": ["low", "normal", "high"]},
            "tags": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["note", "count"],
    },
)
START_TIMER = ToolSpec(
    name="start_timer",
    description="Start a timer.",
    parameters={
        "type": "object",
        "properties": {
            "label": {"type": "string", "description": "What the timer is for."},
            "minutes": {"type": "integer", "description": "How long it runs."},
        },
        "required": ["label", "minutes"],
    },
)


def full_note(nonce: str) -> Json:
    """Fill every argument of ``record_note``; the note is *nonce*."""
    return {
        "note": nonce,
        "count": 3,
        "urgent": True,
        "priority": "high",
        "tags": ["blue", "green"],
    }


def short_note(nonce: str) -> Json:
    """Fill only the arguments that ``record_note`` requires."""
    return {"note": nonce, "count": 3}


def demand(tool: ToolSpec, arguments: Json) -> str:
    """Tell a model to make one call, so plainly that nothing is left to decide."""
    return f"Call the tool {tool.name} with {as_json(arguments)}."


def expected(tool: ToolSpec, arguments: Json) -> ExpectedCall:
    """Say that this very call has to come."""
    return ExpectedCall(tool.name, arguments, tool.parameters)


def as_json(value: Any) -> str:
    """Write JSON as models usually do."""
    return json.dumps(value, ensure_ascii=False)
