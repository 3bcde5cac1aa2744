"""Gemini's embeddings: ``…/models/M:batchEmbedContents`` for texts, ``:embedContent`` for one.

LiteLLM 1.106.2 sends texts always by the first, and the second for several media in one.

Shape:
    {"requests": [{"model": str, "content": {"parts": [{"text": str}]}}]}
    → {"embeddings": [{"values": [number]}]}, in the order of the requests
    {"content": {"parts": [{"text": str}]}} → {"embedding": {"values": [number]}}

Source: Google's API reference, ``models.batchEmbedContents`` (v1beta).
"""

from typing import Any, ClassVar

from chaos.protocol.conversation import Answer, Ask, Json
from chaos.protocol.format import Piece, PieceKind
from chaos.protocol.formats.generate_content.reply import GenerateContentStreamReader
from chaos.protocol.google_error import read_google_error
from chaos.protocol.json.defects import Defects
from chaos.protocol.json.lenient import as_json_text, either, mapping, mappings, text, whole
from chaos.protocol.json.numbers import numbers
from chaos.protocol.json.opened import opened
from chaos.protocol.reading import Defect, Reading, StreamReader


class GeminiEmbeddings:
    """Several texts at once: ``batchEmbedContents``."""

    name: ClassVar[str] = "gemini_embeddings"

    def write_ask(self, ask: Ask, *, model: str, stream: bool) -> Json:  # noqa: ARG002 -- never streams
        """Write a request's JSON body."""
        requests: list[dict[str, Any]] = [
            {"model": f"models/{model}", "content": {"parts": [{"text": words}]}}
            for words in ask.inputs
        ]
        if ask.dimensions is not None:
            requests = [{**each, "outputDimensionality": ask.dimensions} for each in requests]
        return {"requests": requests, **(ask.extra or {})}

    def read_ask(self, body: Json) -> Ask:
        """Read a request's JSON body; lenient, because gateways add fields of their own."""
        requests = mappings(body.get("requests"))
        sizes = [whole(either(request, "outputDimensionality")) for request in requests]
        return Ask(
            inputs=tuple(_words(request) for request in requests),
            dimensions=sizes[0] if sizes else None,
        )

    def write_answer(self, answer: Answer, *, model: str, stream: bool) -> tuple[Piece, ...]:  # noqa: ARG002 -- the reply names no model
        """Write a good reply."""
        body = {"embeddings": [{"values": list(vector)} for vector in answer.vectors]}
        return (Piece(PieceKind.CONTENT, as_json_text(body).encode()),)

    def write_error_event(self, error: Json) -> bytes:
        """Write an error body as it is: embeddings are not streamed."""
        return as_json_text(error).encode()

    def content_type(self, *, stream: bool) -> str:  # noqa: ARG002 -- never streams
        """Name the media type of a reply."""
        return "application/json; charset=UTF-8"

    def read_reply(self, status: int, body: bytes) -> Reading:
        """Read a whole reply strictly, good or error; never raises."""
        defects = Defects()
        parsed = opened(status, body, defects, read_google_error)
        if isinstance(parsed, Reading):
            return parsed
        if "error" in parsed:
            return Reading(error=read_google_error(None, parsed, in_band=True), ended=True)
        vectors = tuple(_numbers(vector, defects) for vector in self._vectors(parsed, defects))
        return Reading(vectors=vectors, defects=defects.found, ended=True, starts=1)

    def stream_reader(self) -> StreamReader:
        """Make a reader for a stream, which this API does not have."""
        return GenerateContentStreamReader()

    def _vectors(self, body: Json, defects: Defects) -> list[Json]:
        if "embeddings" not in body:
            defects.add(Defect.NO_OUTPUT_FIELD, "no embeddings")
            return []
        return defects.need_objects(body, "embeddings", "body")


class GeminiEmbedContent(GeminiEmbeddings):
    """One content: ``embedContent``."""

    name: ClassVar[str] = "gemini_embed_content"

    def write_ask(self, ask: Ask, *, model: str, stream: bool) -> Json:  # noqa: ARG002 -- in the path
        """Write a request's JSON body; all inputs become parts of the one content."""
        body: dict[str, Any] = {"content": {"parts": [{"text": words} for words in ask.inputs]}}
        if ask.dimensions is not None:
            body["outputDimensionality"] = ask.dimensions
        return {**body, **(ask.extra or {})}

    def read_ask(self, body: Json) -> Ask:
        """Read a request's JSON body; lenient, because gateways add fields of their own."""
        return Ask(inputs=(_words(body),), dimensions=whole(either(body, "outputDimensionality")))

    def write_answer(self, answer: Answer, *, model: str, stream: bool) -> tuple[Piece, ...]:  # noqa: ARG002 -- the reply names no model
        """Write a good reply: one embedding, whatever was asked."""
        values = list(answer.vectors[0]) if answer.vectors else []
        return (Piece(PieceKind.CONTENT, as_json_text({"embedding": {"values": values}}).encode()),)

    def _vectors(self, body: Json, defects: Defects) -> list[Json]:
        if "embedding" not in body:
            defects.add(Defect.NO_OUTPUT_FIELD, "no embedding")
            return []
        return [defects.need_object(body, "embedding", "body")]


def _words(request: Json) -> str:
    parts = mappings(mapping(request.get("content")).get("parts"))
    return "\n".join(text(part.get("text")) for part in parts)


def _numbers(vector: Json, defects: Defects) -> tuple[float, ...]:
    values = vector.get("values")
    if not isinstance(values, list):
        defects.add(Defect.WRONG_SHAPE, "an embedding without values")
        return ()
    return numbers(values, "an embedding", defects)
