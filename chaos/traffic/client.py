"""The contract of a client: how one that people really use asks, fact by fact, with its source."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from chaos.protocol.conversation import Json

SHAPES_AS_CLIENT = ("agent", "chat", "tool_call")
"""Shapes that any of these clients could send; none of them forces a call or a schema."""

SESSION = "00000000-0000-4000-8000-000000000000"
"""Stands in a value for the id of the client's session, which is another for every drill."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A header or a parameter that a client sends.

    Attributes:
        value: As it crosses the wire; ``SESSION`` in it is replaced.
        source: Where it can be read.
        unconfirmed: No public source says it of this client; it is a guess.
        models: Pattern of the model names with which it is sent.
    """

    value: Any
    source: str
    unconfirmed: bool = False
    models: str = "*"


@dataclass(frozen=True, slots=True)
class Client:
    """A client that people really use.

    Attributes:
        summary: One sentence for ``understudy clients``.
        headers: By name, besides those of the surface.
        asks: Its parameters by the surface that it uses, the usual one first; what is missing it
            does not send.
        cached_system: It sends its system prompt as blocks that are to be cached.
    """

    name: str
    summary: str
    headers: Mapping[str, Sent]
    asks: Mapping[str, Mapping[str, Sent]]
    cached_system: bool = False
    shapes: tuple[str, ...] = field(default=SHAPES_AS_CLIENT)

    @property
    def surfaces(self) -> tuple[str, ...]:
        """The surfaces that it can use, the usual one first."""
        return tuple(self.asks)

    @property
    def usual_surface(self) -> str:
        """The surface that it uses unless it is set up otherwise."""
        return self.surfaces[0]

    @property
    def user_agent(self) -> str:
        """What it calls itself; LiteLLM treats some clients by this name."""
        return next(
            (str(sent.value) for name, sent in self.headers.items() if name == "User-Agent"), ""
        )

    @property
    def parameters(self) -> tuple[str, ...]:
        """Name what it sends on any of its surfaces."""
        return tuple(dict.fromkeys(name for asked in self.asks.values() for name in asked))

    def headers_for(self, nonce: str) -> dict[str, str]:
        """List the headers of one request, in a session of its own."""
        return {name: str(_in_session(h.value, nonce)) for name, h in self.headers.items()}

    def parameters_for(self, surface: str, nonce: str, model: str) -> dict[str, Any]:
        """List the parameters of one request for *model*, in a session of its own."""
        return {
            name: _in_session(sent.value, nonce)
            for name, sent in self.asks[surface].items()
            if fnmatchcase(model, sent.models)
        }

    @property
    def unconfirmed(self) -> tuple[str, ...]:
        """Name the headers and parameters that no source confirms."""
        parts = (self.headers, *self.asks.values())
        return tuple(
            dict.fromkeys(name for part in parts for name, sent in part.items() if sent.unconfirmed)
        )


def _in_session(value: Any, nonce: str) -> Any:
    """Put the session's id where it belongs; a hash, so that the nonce itself is not in it."""
    if isinstance(value, str):
        return value.replace(SESSION, str(uuid.uuid5(uuid.NAMESPACE_OID, nonce)))
    if isinstance(value, Mapping):
        return {name: _in_session(part, nonce) for name, part in value.items()}
    return [_in_session(part, nonce) for part in value] if isinstance(value, list) else value


def cached_blocks(texts: tuple[str, ...]) -> list[Json]:
    """Write a system prompt as blocks of Anthropic's format, each the end of a cached prefix."""
    return [
        {"type": "text", "text": text, "cache_control": {"type": "ephemeral"}} for text in texts
    ]
