"""Vertex AI: Gemini by ``…:generateContent``, Claude by ``…:rawPredict``, and their streams.

Shape:
    {"error": {"code": int, "message": str, "status": str, "details": [object]}}

LiteLLM signs in with Google before it asks, and puts the operation right behind ``api_base``,
without the model: only an address of its own tells a hop. By redirect its real access token would
go to the witness, so that is not done. What speaks neither language (embeddings by ``:predict``,
other partners' models) can fail, and is not read.
"""

import re
from collections.abc import Mapping
from typing import ClassVar, Final
from urllib.parse import unquote

from chaos.protocol.addressing import join_url
from chaos.protocol.dialect import Call, ErrorRow, RawCall
from chaos.protocol.dialects.gemini import Gemini
from chaos.protocol.format import WireFormat
from chaos.protocol.formats import WIRE_FORMATS

_PATH: Final = re.compile(
    r"/(?:v1(?:beta1)?/projects/[^/]+/locations/[^/]+/(?:publishers/[^/]+/models|endpoints)/"
    r"(?P<model>[^/:]+))?:(?P<operation>[A-Za-z]+)"
)
_OPERATIONS: Final[Mapping[str, tuple[str, bool]]] = {
    "generateContent": ("generate_content", False),
    "streamGenerateContent": ("generate_content", True),
    "rawPredict": ("vertex_raw_predict", False),
    "streamRawPredict": ("vertex_raw_predict", True),
    "predict": ("generate_content", False),
}


class Vertex:
    """Vertex AI."""

    name: ClassVar[str] = "vertex"
    providers: ClassVar[tuple[str, ...]] = ("vertex_ai", "vertex_ai_beta")
    formats: ClassVar[tuple[WireFormat, ...]] = (
        WIRE_FORMATS["generate_content"],
        WIRE_FORMATS["vertex_raw_predict"],
    )
    key_headers: ClassVar[tuple[str, ...]] = ("authorization", "x-api-key")
    keyless: ClassVar[frozenset[str]] = frozenset()
    signs: ClassVar[bool] = True
    twin_only: ClassVar[str | None] = (
        "signs in with Google by itself, and a redirect would carry its real access token to the "
        "witness"
    )
    rows: ClassVar[Mapping[str, ErrorRow]] = {
        **Gemini.rows,
        "auth_revoked": Gemini.rows["auth_revoked.oauth"],
    }

    def recognise(self, call: RawCall) -> Call | None:
        """Tell what *call* asks for if it is in this dialect, else None."""
        found = _PATH.fullmatch(call.path)
        if call.method != "POST" or found is None or found["operation"] not in _OPERATIONS:
            return None
        format_name, stream = _OPERATIONS[found["operation"]]
        claude = format_name == "vertex_raw_predict"
        readable = "anthropic_version" in call.body if claude else "contents" in call.body
        model = unquote(found["model"] or "")
        return Call(self.name, WIRE_FORMATS[format_name], model, stream, readable=readable)

    def real_url(self, base: str, call: RawCall) -> str:
        """Name the provider's own URL for *call*; without the token for it, it will refuse."""
        if call.path.startswith("/:"):
            return base.rstrip("/") + call.path.removeprefix("/")
        return join_url(base, call)
