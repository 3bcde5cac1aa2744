"""Cut a good answer into the pieces of a stream, the same way every time."""

import hashlib

from chaos.protocol.conversation import Answer, Json
from chaos.protocol.json.strict import compact

TEXT_PIECES = 4
"""In how many pieces text comes at least, where it has that many characters."""

CALL_PIECES = 3
"""The same for the arguments of a tool call."""


def slices(text: str, at_least: int) -> list[str]:
    """Cut *text* into *at_least* pieces of about one size; shorter text into its characters."""
    size = max(1, len(text) // at_least)
    return [text[start : start + size] for start in range(0, len(text), size)]


def event_bytes(name: str, payload: Json) -> bytes:
    """Write one server-sent event whose name is also its payload's ``type``."""
    return f"event: {name}\ndata: {compact(payload)}\n\n".encode(errors="replace")


def mark(answer: Answer, model: str) -> str:
    """Name an answer for use in its ids: two servers' answers must not share one.

    Made from what is answered, not from chance, so that a reply can be written twice alike.
    """
    return hashlib.sha256(f"{model}\n{answer!r}".encode(errors="replace")).hexdigest()[:24]
