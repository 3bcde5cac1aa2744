"""The surface of OpenAI's newer clients and of Codex: responses."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from chaos.protocol.format import WireFormat
from chaos.protocol.formats.responses.write import Responses


@dataclass(frozen=True, slots=True)
class ResponsesSurface:
    """``POST /v1/responses``, as OpenAI's client library asks there."""

    name: str = "responses"
    path: str = "/v1/responses"
    streams: bool = True
    format: WireFormat = field(default_factory=Responses)

    def headers(self, key: str) -> Mapping[str, str]:
        """Carry *key* as a bearer token."""
        return {"Authorization": f"Bearer {key}"}
