"""Anthropic: ``POST /v1/messages``.

Shape:
    {"type": "error", "error": {"type": str, "message": str}, "request_id": "req_…"}
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Final

from chaos.protocol.addressing import call_by_body, join_url
from chaos.protocol.dialect import Call, ErrorRow, RawCall
from chaos.protocol.error_rows import (
    GENERAL,
    LITELLM,
    after,
    bad_gateway_html,
    cloudflare_520,
)
from chaos.protocol.format import WireFormat
from chaos.protocol.formats import WIRE_FORMATS

_PATH: Final = re.compile(r"(?:/v1)?/messages/?")
_REQUEST_ID: Final = "req_011CUnderstudyDrill0001"
_DOCS: Final = "developersdigest.tech/errors/api/anthropic-api"
_DEV_PROXY: Final = "learn.microsoft.com dev-proxy: anthropic-529-overloaded-error"


def _row(
    status: int, type_: str, message: str, source: str, *, unconfirmed: bool = False, **more: Any
) -> ErrorRow:
    body = {
        "type": "error",
        "error": {"type": type_, "message": message, **more},
        "request_id": _REQUEST_ID,
    }
    return ErrorRow(status, body, source, {"request-id": _REQUEST_ID}, unconfirmed)


_SPEND_LIMIT = _row(
    400,
    "invalid_request_error",
    "You have reached your specified API usage limits. You will regain access on 2026-09-01 at "
    "00:00 UTC.",
    f"{_DOCS}/400-spend-limit-reached; github.com/BerriAI/litellm/issues/37592",
)
_RATE_LIMIT = replace(
    _row(
        429,
        "rate_limit_error",
        "This request would exceed your organization's rate limit of 50,000 input tokens per "
        "minute. For details, refer to: https://docs.claude.com/en/api/rate-limits.",
        f"{_DEV_PROXY} (type and headers); text: {GENERAL}",
        unconfirmed=True,
    ),
    headers={
        "request-id": _REQUEST_ID,
        "anthropic-ratelimit-input-tokens-limit": "50000",
        "anthropic-ratelimit-input-tokens-remaining": "0",
    },
)
_OVERLOADED = _row(
    529,
    "overloaded_error",
    "Overloaded",
    f"{_DEV_PROXY}; docs.llmgateway.io; github.com/anthropics/claude-code/issues/49013",
)


class Anthropic:
    """Anthropic."""

    name: ClassVar[str] = "anthropic"
    providers: ClassVar[tuple[str, ...]] = ("anthropic",)
    formats: ClassVar[tuple[WireFormat, ...]] = (WIRE_FORMATS["messages"],)
    key_headers: ClassVar[tuple[str, ...]] = ("x-api-key", "authorization")
    keyless: ClassVar[frozenset[str]] = frozenset()
    signs: ClassVar[bool] = False
    twin_only: ClassVar[str | None] = None
    rows: ClassVar[Mapping[str, ErrorRow]] = {
        "billing": _row(
            400,
            "invalid_request_error",
            "Your credit balance is too low to access the Anthropic API. Please go to Plans & "
            "Billing to upgrade or purchase credits.",
            "github.com/anthropics/claude-code/issues/4207, #867; "
            "github.com/continuedev/continue/issues/5499",
        ),
        "billing.spend_limit": _SPEND_LIMIT,
        "billing.payment_required": _row(
            402,
            "billing_error",
            "There is an issue with your billing or payment information.",
            f"{_DOCS} (status and type); text: {GENERAL}",
            unconfirmed=True,
        ),
        "quota": _row(
            429,
            "rate_limit_error",
            "Your organization has reached its monthly spend limit.",
            f"{_DEV_PROXY} (status, type, error_code); text: {GENERAL}",
            unconfirmed=True,
            details={"error_code": "enforced_spend_limit_reached"},
        ),
        "quota.workspace": _row(
            400,
            "invalid_request_error",
            "You have reached your specified workspace API usage limits. You will regain access "
            "on 2026-09-01 at 00:00 UTC.",
            f"{_DOCS}/400-spend-limit-reached; github.com/BerriAI/litellm/issues/37592",
        ),
        "rate_limit": _RATE_LIMIT,
        "rate_limit.retry_after_20": after(_RATE_LIMIT, 20),
        "rate_limit.retry_after_300": after(_RATE_LIMIT, 300),
        "overloaded": _OVERLOADED,
        "overloaded.retry_after_20": after(_OVERLOADED, 20),
        "auth_revoked": _row(
            401,
            "authentication_error",
            "invalid x-api-key",
            f"Anthropic's list of errors (type); text: {GENERAL}",
            unconfirmed=True,
        ),
        "permission.prefill_refused": _row(
            400,
            "invalid_request_error",
            "This model does not support assistant message prefill. The conversation must end "
            "with a user message.",
            "github.com/BerriAI/litellm/issues/27967",
        ),
        "permission": _row(
            403,
            "permission_error",
            "Your API key does not have permission to use the specified resource.",
            f"{_DOCS} (status and type); text: {GENERAL}",
            unconfirmed=True,
        ),
        "model_retired": _row(
            404,
            "not_found_error",
            "model: {model}",
            f"Anthropic's list of errors (type); text: {GENERAL}",
            unconfirmed=True,
        ),
        "context_window": _row(
            400,
            "invalid_request_error",
            "prompt is too long: 208310 tokens > 200000 maximum",
            LITELLM,
        ),
        "context_window.max_tokens": _row(
            400,
            "invalid_request_error",
            "input length and `max_tokens` exceed context limit: 178959 + 64000 > 200000, "
            "decrease input length or `max_tokens` and try again",
            "github.com/docker/docker-agent/issues/569",
        ),
        "context_window.too_large": _row(
            413,
            "request_too_large",
            "Request exceeds the maximum size",
            f"{_DOCS} (status and type); text: {GENERAL}",
            unconfirmed=True,
        ),
        "content_policy": _row(
            400, "invalid_request_error", "Output blocked by content filtering policy", LITELLM
        ),
        "server_error": _row(
            500,
            "api_error",
            "Internal server error",
            "github.com/BerriAI/litellm/issues/4562 (seen in a stream)",
        ),
        "bad_gateway_html": bad_gateway_html("cloudflare"),
        "bad_gateway_html.cloudflare_520": cloudflare_520("api.anthropic.com"),
        "request_timeout": _row(
            408, "timeout_error", "Request timed out", GENERAL, unconfirmed=True
        ),
    }

    def recognise(self, call: RawCall) -> Call | None:
        """Tell what *call* asks for if it is in this dialect, else None."""
        if call.method != "POST" or _PATH.fullmatch(call.path) is None:
            return None
        return call_by_body(call, self.name, "messages")

    def real_url(self, base: str, call: RawCall) -> str:
        """Name the provider's own URL for *call*."""
        return join_url(base, call)
