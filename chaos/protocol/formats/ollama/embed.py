"""Ollama's ``POST /api/embed``: texts in, vectors out; never streamed.

Shape:
    {"model": str, "input": str | [str], "dimensions"?: int}
    → {"model": str, "embeddings": [[number]], "prompt_eval_count": int}, in the texts' order

Source: github.com/ollama/ollama, docs/api.md; requests of LiteLLM 1.106.2, which carry no key.
"""

from typing import Any, ClassVar

from chaos.protocol.conversation import Answer, Ask, Json
from chaos.protocol.format import Piece, PieceKind
from chaos.protocol.formats.ollama.chat import media_type
from chaos.protocol.formats.ollama.reply import OllamaStreamReader, read_ollama_error
from chaos.protocol.json.defects import Defects
from chaos.protocol.json.lenient import as_json_text, text, whole
from chaos.protocol.json.numbers import numbers
from chaos.protocol.json.opened import opened
from chaos.protocol.json.strict import distinct
from chaos.protocol.reading import Defect, Reading, StreamReader, Usage


class OllamaEmbeddings:
    """Ollama's embeddings."""

    name: ClassVar[str] = "ollama_embeddings"

    def write_ask(self, ask: Ask, *, model: str, stream: bool) -> Json:  # noqa: ARG002 -- never streams
        """Write a request's JSON body."""
        body: dict[str, Any] = {"model": model, "input": list(ask.inputs)}
        if ask.dimensions is not None:
            body["dimensions"] = ask.dimensions
        return {**body, **(ask.extra or {})}

    def read_ask(self, body: Json) -> Ask:
        """Read a request's JSON body; lenient, because gateways add fields of their own."""
        given = body.get("input")
        inputs = given if isinstance(given, list) else [given] if isinstance(given, str) else []
        return Ask(inputs=tuple(map(text, inputs)), dimensions=whole(body.get("dimensions")))

    def write_answer(self, answer: Answer, *, model: str, stream: bool) -> tuple[Piece, ...]:  # noqa: ARG002 -- never streams
        """Write a good reply."""
        body = {
            "model": model,
            "embeddings": [list(vector) for vector in answer.vectors],
            "prompt_eval_count": answer.input_tokens,
        }
        return (Piece(PieceKind.CONTENT, as_json_text(body).encode()),)

    def write_error_event(self, error: Json) -> bytes:
        """Write an error body as it is: embeddings are not streamed."""
        return as_json_text(error).encode()

    def content_type(self, *, stream: bool) -> str:  # noqa: ARG002 -- never streams
        """Name the media type of a reply."""
        return media_type(stream=False)

    def read_reply(self, status: int, body: bytes) -> Reading:
        """Read a whole reply strictly, good or error; never raises."""
        defects = Defects()
        parsed = opened(status, body, defects, read_ollama_error)
        if isinstance(parsed, Reading):
            return parsed
        if "error" in parsed:
            return Reading(error=read_ollama_error(None, parsed, in_band=True), ended=True)
        vectors = parsed.get("embeddings")
        if not isinstance(vectors, list):
            defects.add(Defect.NO_OUTPUT_FIELD, "no embeddings")
            vectors = []
        read = tuple(
            numbers(vector, f"embedding {place}", defects)
            for place, vector in enumerate(vectors)
            if _is_vector(vector, place, defects)
        )
        return Reading(
            vectors=read,
            models=distinct([defects.identity(parsed, "model", "reply")]),
            usage=Usage(defects.optional_count(parsed, "prompt_eval_count", "reply"), None),
            defects=defects.found,
            ended=True,
            starts=1,
        )

    def stream_reader(self) -> StreamReader:
        """Make a reader for a stream, which this API does not have."""
        return OllamaStreamReader("response")


def _is_vector(vector: Any, place: int, defects: Defects) -> bool:
    if isinstance(vector, list):
        return True
    defects.wrong(f"embedding {place} is not a list")
    return False
