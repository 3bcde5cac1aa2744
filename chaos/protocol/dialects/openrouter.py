"""OpenRouter: OpenAI's way of asking, its own way of failing.

Shape:
    {"error": {"code": int, "message": str, "metadata"?: object}}
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from chaos.protocol.addressing import join_url, openai_call
from chaos.protocol.dialect import Call, ErrorRow, RawCall
from chaos.protocol.error_rows import GENERAL, after, bad_gateway_html
from chaos.protocol.format import WireFormat
from chaos.protocol.formats import WIRE_FORMATS

_DOCS: Final = "openrouter.ai/docs/errors"


def _row(
    status: int,
    message: str,
    source: str,
    metadata: Mapping[str, Any] | None = None,
    *,
    unconfirmed: bool = False,
) -> ErrorRow:
    error: dict[str, Any] = {"code": status, "message": message}
    if metadata is not None:
        error["metadata"] = dict(metadata)
    return ErrorRow(status, {"error": error}, source, {}, unconfirmed)


_RATE_LIMIT = _row(
    429,
    "Rate limit exceeded: limit_rpd/{model}/understudy. High demand for {model} on OpenRouter - "
    "limited to 50 requests per day. Please retry shortly.",
    "github.com/BerriAI/litellm/issues/9035, #19985",
    {
        "headers": {
            "X-RateLimit-Limit": "50",
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": "1790000000000",
        }
    },
)
_NO_PROVIDER = _row(
    503,
    "No available model provider meets your routing requirements",
    f"{_DOCS} (status); text: {GENERAL}",
    unconfirmed=True,
)


class OpenRouter:
    """OpenRouter."""

    name: ClassVar[str] = "openrouter"
    providers: ClassVar[tuple[str, ...]] = ("openrouter",)
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
        "billing": _row(
            402,
            "Insufficient credits. Add more using https://openrouter.ai/settings/credits",
            "github.com/BerriAI/litellm/issues/37592",
        ),
        "billing.fewer_max_tokens": _row(
            402,
            "This request requires more credits, or fewer max_tokens. You requested up to 65536 "
            "tokens, but can only afford 28. To increase, visit "
            "https://openrouter.ai/settings/credits and add more credits",
            "leviath issue 201",
        ),
        "billing.in_flight": after(
            _row(
                402,
                "Insufficient credits for the requests in flight.",
                f"{_DOCS} (limit_source and the header); text: {GENERAL}",
                {"limit_source": "openrouter_in_flight_budget"},
                unconfirmed=True,
            ),
            20,
        ),
        "quota": _row(
            429,
            "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model "
            "requests per day",
            "github.com/BerriAI/litellm/issues/19985",
            {
                "headers": {
                    "X-RateLimit-Limit": "50",
                    "X-RateLimit-Remaining": "0",
                    "X-RateLimit-Reset": "1790000000000",
                }
            },
        ),
        "rate_limit": _RATE_LIMIT,
        "rate_limit.retry_after_20": after(_RATE_LIMIT, 20),
        "rate_limit.retry_after_300": after(_RATE_LIMIT, 300),
        "overloaded": _NO_PROVIDER,
        "overloaded.retry_after_20": after(_NO_PROVIDER, 20),
        "auth_revoked": _row(
            401, "User not found.", f"{_DOCS} (status); text: {GENERAL}", unconfirmed=True
        ),
        "permission": _row(
            403,
            "The request was refused by the provider's moderation",
            f"{_DOCS} (status and metadata); text: {GENERAL}",
            {
                "reasons": ["understudy"],
                "flagged_input": "understudy",
                "provider_name": "OpenAI",
                "model_slug": "{model}",
            },
            unconfirmed=True,
        ),
        "model_retired": _row(404, "No endpoints found for {model}.", GENERAL, unconfirmed=True),
        "model_retired.data_policy": _row(
            404,
            "No endpoints found matching your data policy (Free model publication). Configure: "
            "https://openrouter.ai/settings/privacy",
            "github.com/BerriAI/litellm/issues/21377",
        ),
        "model_retired.invalid_id": _row(
            400, "{model} is not a valid model ID", GENERAL, unconfirmed=True
        ),
        "context_window": _row(
            400,
            "This endpoint's maximum context length is 131072 tokens. However, you requested "
            "about 140000 tokens (138000 of text input, 2000 in the output). Please reduce the "
            'length of either one, or use the "middle-out" transform to compress your prompt '
            "automatically.",
            GENERAL,
            unconfirmed=True,
        ),
        "content_policy": _row(
            403,
            '{model} requires moderation. Your input was flagged for "understudy". No credits '
            "were charged.",
            f"{_DOCS} (status and metadata); text: {GENERAL}",
            {
                "reasons": ["understudy"],
                "flagged_input": "understudy",
                "provider_name": "OpenAI",
                "model_slug": "{model}",
            },
            unconfirmed=True,
        ),
        "server_error": _row(
            502,
            "Provider returned error",
            f"{_DOCS} (status)",
            {"provider_name": "OpenAI", "raw": "upstream error"},
        ),
        "server_error.internal": _row(500, "Internal Server Error", GENERAL, unconfirmed=True),
        "bad_gateway_html": bad_gateway_html("cloudflare"),
        "request_timeout": _row(
            408,
            "Your request timed out",
            f"{_DOCS} (status); text: {GENERAL}",
            unconfirmed=True,
        ),
    }

    def recognise(self, call: RawCall) -> Call | None:
        """Tell what *call* asks for if it is in this dialect, else None."""
        return openai_call(call, self.name)

    def real_url(self, base: str, call: RawCall) -> str:
        """Name the provider's own URL for *call*."""
        return join_url(base, call)
