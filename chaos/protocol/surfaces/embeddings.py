"""The surface of retrieval: embeddings, never streamed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from chaos.protocol.format import WireFormat
from chaos.protocol.formats.embeddings import Embeddings


@dataclass(frozen=True, slots=True)
class EmbeddingsSurface:
    """``POST /v1/embeddings``, as OpenAI's client library asks there."""

    name: str = "embeddings"
    path: str = "/v1/embeddings"
    streams: bool = False
    format: WireFormat = field(default_factory=Embeddings)

    def headers(self, key: str) -> Mapping[str, str]:
        """Carry *key* as a bearer token."""
        return {"Authorization": f"Bearer {key}"}
