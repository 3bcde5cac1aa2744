"""vLLM's OpenAI-compatible server, the last resort itself.

Shape:
    {"error": {"message": str, "type": str, "param": str | null, "code": int}}
    Older versions send the inner object alone, with "object": "error".

It has no bill and no rate limit; what it has is what a small model on one machine cannot do.
Its own ``/v1/messages`` is not asked for: LiteLLM 1.106.2 translates that surface into chat
completions for ``hosted_vllm``.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from chaos.protocol.addressing import join_url, openai_call
from chaos.protocol.dialect import Call, ErrorRow, RawCall
from chaos.protocol.error_rows import bad_gateway_html, general
from chaos.protocol.format import WireFormat
from chaos.protocol.formats import WIRE_FORMATS


def _body(message: str, type_: str, code: int) -> Any:
    return {"error": {"message": message, "type": type_, "param": None, "code": code}}


class Vllm:
    """vLLM."""

    name: ClassVar[str] = "vllm"
    providers: ClassVar[tuple[str, ...]] = ("hosted_vllm",)
    formats: ClassVar[tuple[WireFormat, ...]] = (
        WIRE_FORMATS["chat_completions"],
        WIRE_FORMATS["responses"],
        WIRE_FORMATS["embeddings"],
    )
    key_headers: ClassVar[tuple[str, ...]] = ("authorization",)
    keyless: ClassVar[frozenset[str]] = frozenset()
    signs: ClassVar[bool] = False
    twin_only: ClassVar[str | None] = None
    rows: ClassVar[Mapping[str, ErrorRow]] = {
        "auth_revoked": general(401, {"error": "Unauthorized"}),
        "permission.tools_not_enabled": ErrorRow(
            400,
            _body(
                '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to '
                "be set",
                "BadRequestError",
                400,
            ),
            "github.com/QwenLM/Qwen-Agent/issues/344",
        ),
        "permission.not_multimodal": ErrorRow(
            400,
            _body("{model} is not a multimodal model", "BadRequestError", 400),
            "github.com/BerriAI/litellm/pull/32237 (seen in a stream, in other words)",
            unconfirmed=True,
        ),
        "model_retired": general(
            404, _body("The model `{model}` does not exist.", "NotFoundError", 404)
        ),
        "context_window": ErrorRow(
            400,
            _body(
                "This model's maximum context length is 32768 tokens. However, you requested "
                "33077 tokens (1077 in the messages, 32000 in the completion). Please reduce the "
                "length of the messages or completion.",
                "BadRequestError",
                400,
            ),
            "github.com/BerriAI/litellm/issues/12680",
        ),
        "server_error": general(500, _body("Internal Server Error", "InternalServerError", 500)),
        "server_error.engine_dead": general(
            500,
            _body(
                "EngineCore encountered an issue. See stack trace (above) for the root cause.",
                "InternalServerError",
                500,
            ),
        ),
        "bad_gateway_html": bad_gateway_html(),
        "request_timeout": general(408, _body("Request timed out.", "TimeoutError", 408)),
    }

    def recognise(self, call: RawCall) -> Call | None:
        """Tell what *call* asks for if it is in this dialect, else None."""
        return openai_call(call, self.name)

    def real_url(self, base: str, call: RawCall) -> str:
        """Name the provider's own URL for *call*."""
        return join_url(base, call)
