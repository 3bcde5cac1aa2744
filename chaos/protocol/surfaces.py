"""The endpoints of a gateway that drills ask at, by name.

To add one: list a ``Surface`` below. Scenarios, the command line and the contract tests in
``tests/chaos/protocol/test_surfaces.py`` follow.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from chaos.protocol.format import WireFormat
from chaos.protocol.formats.chat_completions.write import ChatCompletions
from chaos.protocol.formats.embeddings import Embeddings
from chaos.protocol.formats.messages.write import Messages
from chaos.protocol.formats.responses.write import Responses
from chaos.registry import index

ANTHROPIC_VERSION = "2023-06-01"


def bearer(key: str) -> Mapping[str, str]:
    """Carry *key* as OpenAI's client library does."""
    return {"Authorization": f"Bearer {key}"}


def anthropic(key: str) -> Mapping[str, str]:
    """Carry *key* as Anthropic's clients do.

    Source: LiteLLM 1.106.2, ``get_api_key``: the proxy takes its own keys from ``x-api-key`` too,
    where neither ``x-litellm-api-key`` nor ``Authorization`` is there; tried against a running one.
    """
    return {"x-api-key": key, "anthropic-version": ANTHROPIC_VERSION}


@dataclass(frozen=True, slots=True)
class Surface:
    """One endpoint, and how a client asks there.

    Attributes:
        path: Below the gateway's URL.
        format: How requests and replies are written there.
        headers: Writes the headers that its clients send, the key among them.
        streams: It has streamed replies.
    """

    name: str
    path: str
    format: WireFormat
    headers: Callable[[str], Mapping[str, str]] = bearer
    streams: bool = True


SURFACES: Mapping[str, Surface] = index(
    Surface("chat_completions", "/v1/chat/completions", ChatCompletions()),
    Surface("messages", "/v1/messages", Messages(), anthropic),
    Surface("responses", "/v1/responses", Responses()),
    Surface("embeddings", "/v1/embeddings", Embeddings(), streams=False),
)
