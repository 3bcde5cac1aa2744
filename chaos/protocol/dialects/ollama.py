"""Ollama: a local server with an API of its own.

Shape:
    {"error": str}

It has no bill and no key. What it has is one model at a time, a queue, the memory of one machine,
and a context that is cut without a word: a prompt longer than ``num_ctx`` is answered with 200, as
if the rest had been all (``long_context`` shows it).
"""

from collections.abc import Mapping
from typing import ClassVar, Final

from chaos.protocol.addressing import call_by_body, join_url
from chaos.protocol.dialect import Call, ErrorRow, RawCall
from chaos.protocol.error_rows import bad_gateway_html, general
from chaos.protocol.format import WireFormat
from chaos.protocol.formats import WIRE_FORMATS

_FORMATS: Final[Mapping[str, str]] = {
    "/api/chat": "ollama_chat",
    "/api/generate": "ollama_generate",
    "/api/embed": "ollama_embeddings",
}


def _row(status: int, message: str, source: str) -> ErrorRow:
    return ErrorRow(status, {"error": message}, source)


class Ollama:
    """Ollama."""

    name: ClassVar[str] = "ollama"
    providers: ClassVar[tuple[str, ...]] = ("ollama", "ollama_chat")
    formats: ClassVar[tuple[WireFormat, ...]] = (
        WIRE_FORMATS["ollama_chat"],
        WIRE_FORMATS["ollama_generate"],
        WIRE_FORMATS["ollama_embeddings"],
    )
    key_headers: ClassVar[tuple[str, ...]] = ("authorization",)
    keyless: ClassVar[frozenset[str]] = frozenset({"embeddings"})
    signs: ClassVar[bool] = False
    twin_only: ClassVar[str | None] = None
    rows: ClassVar[Mapping[str, ErrorRow]] = {
        "overloaded": _row(
            503,
            "server busy, please try again.  maximum pending requests exceeded",
            "github.com/ollama/ollama/issues/4159, pull/4144 (503)",
        ),
        "auth_revoked": general(401, {"error": "unauthorized"}),
        "permission.no_tools": _row(
            400,
            "registry.ollama.ai/library/{model} does not support tools",
            "github.com/ollama/ollama/issues/14795, #13578",
        ),
        "model_retired": _row(
            404,
            "model '{model}' not found, try pulling it first",
            "github.com/ollama/ollama-python/issues/149",
        ),
        "context_window": ErrorRow(
            400,
            {
                "error": "the request exceeds the available context size. try increasing the "
                "context size or enable context shift"
            },
            "github.com/ollama/ollama/issues/17889 (400 for some models); text: llama.cpp's server",
            unconfirmed=True,
        ),
        "server_error": general(
            500, {"error": "llama runner process has terminated: exit status 2"}
        ),
        "server_error.out_of_memory": _row(
            500,
            "model requires more system memory (7.5 GiB) than is available (5.2 GiB)",
            "github.com/continuedev/continue/issues/12795",
        ),
        "bad_gateway_html": bad_gateway_html(),
        "request_timeout": general(408, {"error": "request timed out"}),
    }

    def recognise(self, call: RawCall) -> Call | None:
        """Tell what *call* asks for if it is in this dialect, else None."""
        format_name = _FORMATS.get(call.path.rstrip("/"))
        if call.method != "POST" or format_name is None:
            return None
        return call_by_body(call, self.name, format_name)

    def real_url(self, base: str, call: RawCall) -> str:
        """Name the server's own URL for *call*; a base may name the endpoint already."""
        return join_url(base, call)
