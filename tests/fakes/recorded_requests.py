"""Requests that LiteLLM 1.106.2 sent to an ``api_base`` of ours, keys replaced.

Each has a label: ``provider/model``, the surface (``emb`` for embeddings), and whether the client
asked for a stream.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from chaos.protocol.dialect import RawCall

_FILE = Path(__file__).parents[1] / "data" / "recorded" / "upstream_requests.json"


@cache
def recorded_calls() -> tuple[tuple[str, RawCall], ...]:
    """List every recorded request with its label."""
    return tuple(
        (
            entry["label"],
            RawCall("POST", entry["path"], entry["headers"], entry["body"], entry["query"]),
        )
        for entry in json.loads(_FILE.read_text())
    )


def request_bodies(label: str) -> list[Any]:
    """List the bodies of the requests that carry *label*."""
    return [call.body for name, call in recorded_calls() if name == label]
