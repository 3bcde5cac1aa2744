"""The surface of most clients and of all shapes: OpenAI's chat completions."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from chaos.protocol.format import WireFormat
from chaos.protocol.formats.chat_completions.write import ChatCompletions


@dataclass(frozen=True, slots=True)
class ChatCompletionsSurface:
    """``POST /v1/chat/completions``, as OpenAI's client library asks there."""

    name: str = "chat_completions"
    path: str = "/v1/chat/completions"
    streams: bool = True
    format: WireFormat = field(default_factory=ChatCompletions)

    def headers(self, key: str) -> Mapping[str, str]:
        """Carry *key* as a bearer token."""
        return {"Authorization": f"Bearer {key}"}
