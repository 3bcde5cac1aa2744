"""Take the addresses of requests apart, and put real ones together."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from chaos.protocol.dialect import Call, RawCall
from chaos.protocol.formats import WIRE_FORMATS

OPENAI_PATH: Final = re.compile(r"(?:/v1)?/(chat/completions|responses|embeddings)/?")
"""What OpenAI-compatible providers are called at, below their base."""

OPENAI_FORMATS: Final[Mapping[str, str]] = {
    "chat/completions": "chat_completions",
    "responses": "responses",
    "embeddings": "embeddings",
}


def openai_call(
    raw: RawCall, dialect: str, operations: Iterable[str] = OPENAI_FORMATS
) -> Call | None:
    """Read a call of an OpenAI-compatible API; None if it is none of *operations*."""
    found = OPENAI_PATH.fullmatch(raw.path)
    if raw.method != "POST" or found is None or found[1] not in operations:
        return None
    return call_by_body(raw, dialect, OPENAI_FORMATS[found[1]])


def call_by_body(raw: RawCall, dialect: str, format_name: str) -> Call | None:
    """Read a call whose body names the model and whether to stream."""
    model = raw.body.get("model")
    if not isinstance(model, str):
        return None
    stream = raw.body.get("stream") is True
    return Call(dialect, WIRE_FORMATS[format_name], model, stream)


def join_url(base: str, raw: RawCall) -> str:
    """Append the path of *raw* to *base*, and its query.

    Segments with which *base* ends and the path begins are written once: which of the two says
    ``/v1`` differs from provider to provider, and from deployment to deployment.
    """
    return _joined(base, raw.path, raw.query)


@lru_cache(maxsize=256)
def _joined(base: str, called: str, query: str) -> str:
    parts = urlsplit(base)
    front = [segment for segment in parts.path.split("/") if segment]
    back = called.lstrip("/").split("/")
    overlap = next(
        (n for n in range(min(len(front), len(back)), 0, -1) if front[-n:] == back[:n]), 0
    )
    path = "/".join(["", *front, *back[overlap:]])
    return urlunsplit((parts.scheme, parts.netloc, path, _query(parts.query, query), ""))


def _query(own: str, called: str) -> str:
    """Put both queries together; where they disagree, the call knows better."""
    asked = {name for name, _ in parse_qsl(called, keep_blank_values=True)}
    kept = [pair for pair in own.split("&") if pair and pair.partition("=")[0] not in asked]
    return "&".join([*kept, called] if called else kept)
