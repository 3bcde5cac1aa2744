"""What a chat's answer says: the messages of a whole reply, the deltas of a stream."""

import json
from collections.abc import Iterator
from typing import Any


def messages_of(answer: Any, part: str = "message") -> list[dict[str, Any]]:
    """List the messages, or the deltas, of an answer; what is none is left out."""
    choices = answer.get("choices") if isinstance(answer, dict) else None
    found = [one.get(part) for one in choices or () if isinstance(one, dict)]
    return [one for one in found if isinstance(one, dict)]


def deltas_of(text: str) -> list[dict[str, Any]]:
    """List the deltas of a stream of server-sent events."""
    return [delta for chunk in _chunks(text) for delta in messages_of(chunk, "delta")]


def _chunks(text: str) -> Iterator[Any]:
    for line in text.splitlines():
        data = line.removeprefix("data:").strip()
        if not line.startswith("data:") or data == "[DONE]":
            continue
        try:
            yield json.loads(data)
        except ValueError:
            continue
