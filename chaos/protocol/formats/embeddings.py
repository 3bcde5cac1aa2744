"""OpenAI's embeddings: texts in, vectors out; never streamed.

Shape:
    {"data": [{"index": 0, "embedding": [float, …] | base64 of float32}, …], "model": str,
     "usage": {"prompt_tokens": int}}
"""

import base64
import binascii
import json
import struct
from typing import Any, ClassVar

from chaos.protocol.conversation import Answer, Ask, Json
from chaos.protocol.format import Piece, PieceKind
from chaos.protocol.json.defects import Defects
from chaos.protocol.json.lenient import text, whole
from chaos.protocol.json.numbers import numbers
from chaos.protocol.json.opened import opened
from chaos.protocol.json.strict import shown
from chaos.protocol.json.text import whole_text
from chaos.protocol.openai_error import error_in, failure
from chaos.protocol.reading import Defect, Reading, StreamReader, Usage

MOST_BODY_BYTES = 64 << 20


class Embeddings:
    """``POST /v1/embeddings``."""

    name: ClassVar[str] = "embeddings"

    def write_ask(self, ask: Ask, *, model: str, stream: bool) -> Json:  # noqa: ARG002 -- never streamed
        """Write a request's JSON body; *stream* means nothing here."""
        body: dict[str, Any] = {
            "model": model,
            "input": list(ask.inputs),
            "encoding_format": "float",
        }
        if ask.dimensions is not None:
            body["dimensions"] = ask.dimensions
        return body | dict(ask.extra or {})

    def read_ask(self, body: Json) -> Ask:
        """Read a request's JSON body; lenient, because gateways add fields of their own."""
        inputs = body.get("input")
        if isinstance(inputs, str):
            inputs = [inputs]
        return Ask(
            inputs=tuple(text(item) for item in inputs) if isinstance(inputs, list) else (),
            dimensions=whole(body.get("dimensions")),
        )

    def write_answer(
        self,
        answer: Answer,
        *,
        model: str,
        stream: bool,  # noqa: ARG002 -- never streamed
    ) -> tuple[Piece, ...]:
        """Write a good reply, always whole."""
        data = [
            {"object": "embedding", "index": index, "embedding": list(vector)}
            for index, vector in enumerate(answer.vectors)
        ]
        usage = {"prompt_tokens": answer.input_tokens, "total_tokens": answer.input_tokens}
        body = {"object": "list", "data": data, "model": model, "usage": usage}
        return (Piece(PieceKind.CONTENT, json.dumps(body).encode()),)

    def write_error_event(self, error: Json) -> bytes:
        """Write a provider's error body, which here is a body of status 200."""
        return json.dumps(error if "error" in error else {"error": error}).encode()

    def content_type(self, *, stream: bool) -> str:  # noqa: ARG002 -- never streamed
        """Name the media type of a reply."""
        return "application/json"

    def read_reply(self, status: int, body: bytes) -> Reading:
        """Read a whole reply strictly, good or error; never raises."""
        found = Defects()
        parsed = opened(status, body, found, failure)
        if isinstance(parsed, Reading):
            return parsed
        error = error_in(parsed, in_band=True)
        if error is not None:
            return Reading(error=error, ended=True)
        return _read_good(parsed, found)

    def stream_reader(self) -> StreamReader:
        """Make a reader that takes the whole body piece by piece; there are no streams here."""
        return _WholeBody(self)


class _WholeBody:
    """Reads a body that was asked for as a stream, all the same."""

    def __init__(self, of: Embeddings) -> None:
        self._format = of
        self._body = bytearray()

    def feed(self, data: bytes) -> None:
        if len(self._body) < MOST_BODY_BYTES:
            self._body += data

    @property
    def has_output(self) -> bool:
        return bool(self._body)

    def close(self) -> Reading:
        return self._format.read_reply(200, bytes(self._body))


def _read_good(body: Json, found: Defects) -> Reading:
    data = body.get("data")
    if not isinstance(data, list) or not data:
        found.add(Defect.NO_OUTPUT_FIELD, f"no data: {shown(body)}")
        data = []
    vectors = []
    for position, item in enumerate(data):
        item_read = item if isinstance(item, dict) else {}
        index = item_read.get("index")
        if index is not None and index != position:
            found.add(Defect.INDEX_GAP, f"embedding {shown(index)} at place {position}")
        elif index is None:
            found.add(Defect.WRONG_SHAPE, f"embedding {position} has no index")
        vectors.append(_numbers(item_read.get("embedding"), f"embedding {position}", found))
    usage = body.get("usage")
    model = body.get("model")
    return Reading(
        vectors=tuple(vectors),
        models=(whole_text(model),) if isinstance(model, str) and model else (),
        usage=Usage(whole(usage.get("prompt_tokens")), None) if isinstance(usage, dict) else None,
        defects=found.found,
        ended=True,
        starts=1 if vectors else 0,
    )


def _numbers(vector: Any, where: str, found: Defects) -> tuple[float, ...]:
    """Read a vector of numbers, or of base64 as clients of OpenAI's library ask for it."""
    if isinstance(vector, list):
        return numbers(vector, where, found)
    if isinstance(vector, str):
        try:
            packed = base64.b64decode(vector, validate=True)
            return tuple(number for (number,) in struct.iter_unpack("<f", packed))
        except (ValueError, binascii.Error, struct.error):
            pass
    found.add(Defect.WRONG_SHAPE, f"{where} is no vector: {shown(vector)}")
    return ()
