"""Replies of a real LiteLLM 1.106.2, recorded, and how to read them."""

import json
from pathlib import Path

from chaos.protocol.format import WireFormat
from chaos.protocol.reading import Reading

RECORDED = Path(__file__).parents[1] / "data" / "recorded"


def read_recorded(surface: str, name: str, form: WireFormat) -> Reading:
    """Read one recording, as stream or whole as it was asked for."""
    reply = json.loads((RECORDED / surface / f"{name}.json").read_text(encoding="utf-8"))
    pieces = [chunk["data"].encode() for chunk in reply["chunks"]]
    if not (name.endswith("_stream") and 200 <= reply["status"] < 300):
        return form.read_reply(reply["status"], b"".join(pieces))
    reader = form.stream_reader()
    for piece in pieces:
        reader.feed(piece)
    return reader.close()
