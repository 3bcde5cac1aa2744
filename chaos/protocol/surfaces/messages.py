"""The surface of Claude Code and Anthropic's clients: messages."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from chaos.protocol.format import WireFormat
from chaos.protocol.formats.messages.write import Messages

ANTHROPIC_VERSION = "2023-06-01"


@dataclass(frozen=True, slots=True)
class MessagesSurface:
    """``POST /v1/messages``, as Anthropic's client library asks there."""

    name: str = "messages"
    path: str = "/v1/messages"
    streams: bool = True
    format: WireFormat = field(default_factory=Messages)

    def headers(self, key: str) -> Mapping[str, str]:
        """Carry *key* as Anthropic's clients do.

        Source: LiteLLM 1.106.2, ``get_api_key``: the proxy takes its own keys from
        ``x-api-key`` too, where neither ``x-litellm-api-key`` nor ``Authorization`` is there;
        tried against a running one.
        """
        return {"x-api-key": key, "anthropic-version": ANTHROPIC_VERSION}
