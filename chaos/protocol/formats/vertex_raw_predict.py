"""Anthropic's Messages API on Vertex AI: ``…:rawPredict``, ``…:streamRawPredict``.

The model is in the address, and the body names the API's version instead.

Source: requests of LiteLLM 1.106.2.
"""

from typing import ClassVar

from chaos.protocol.conversation import Ask, Json
from chaos.protocol.formats.messages.write import Messages

VERSION = "vertex-2023-10-16"


class VertexRawPredict(Messages):
    """Anthropic's Messages API, as Vertex AI wraps it."""

    name: ClassVar[str] = "vertex_raw_predict"

    def write_ask(self, ask: Ask, *, model: str, stream: bool) -> Json:
        """Write a request's JSON body."""
        own = super().write_ask(ask, model=model, stream=stream)
        kept = {name: value for name, value in own.items() if name != "model"}
        return {"anthropic_version": VERSION, **kept}
