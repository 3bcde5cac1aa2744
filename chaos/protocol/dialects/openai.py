"""OpenAI, and the many providers that speak as it does.

Shape:
    {"error": {"message": str, "type": str, "param": str | null, "code": str | null}}

Mistral, Groq, DeepSeek, xAI, Together, Fireworks and others are spoken for here: their errors
differ in words more than in kind, and what is drilled is the gateway's reaction.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, Final
from urllib.parse import urlsplit, urlunsplit

from chaos.protocol.addressing import call_by_body, join_url, openai_call
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

_REQUEST_ID: Final = "req_understudydrill00000000000001"
_DOCS: Final = "developersdigest.tech/errors/api/openai-api"
_DEV_PROXY: Final = "learn.microsoft.com dev-proxy: openai-insufficient-quota"

_ANTHROPIC_PATH: Final = re.compile(r"/anthropic/v1/messages/?")
"""DeepSeek on ``/v1/messages``, and Claude in Azure's AI Foundry on every surface, are asked in
Anthropic's language. Source: LiteLLM 1.106.2, ``llms/deepseek/messages``, ``llms/azure_ai``."""

_COMPLETIONS: Final = re.compile(r"(?:/v1)?/completions/?")
_FIM: Final = re.compile(r"/|/v1/fim/completions")
"""LiteLLM takes ``api_base`` for Codestral's whole URL. Source: LiteLLM 1.106.2, run."""


def _row(
    status: int,
    type_: str,
    code: str | None,
    message: str,
    source: str,
    *,
    param: str | None = None,
    unconfirmed: bool = False,
) -> ErrorRow:
    body = {"error": {"message": message, "type": type_, "param": param, "code": code}}
    return ErrorRow(status, body, source, {"x-request-id": _REQUEST_ID}, unconfirmed)


def _gone(code: str, message: str) -> ErrorRow:
    return _row(
        429,
        "insufficient_quota",
        code,
        message,
        f"{_DEV_PROXY} (status, type, code); text: {GENERAL}",
        unconfirmed=True,
    )


_RATE_LIMIT = replace(
    _row(
        429,
        "tokens",
        "rate_limit_exceeded",
        "Rate limit reached for {model} in organization org-understudy on tokens per min (TPM): "
        "Limit 30000, Used 29800, Requested 3200. Please try again in 6s. Visit "
        "https://platform.openai.com/account/rate-limits to learn more.",
        f"{_DOCS} (codes); text and headers: {GENERAL}",
        unconfirmed=True,
    ),
    headers={
        "x-request-id": _REQUEST_ID,
        "x-ratelimit-limit-tokens": "30000",
        "x-ratelimit-remaining-tokens": "200",
        "x-ratelimit-reset-tokens": "6s",
    },
)


class OpenAI:
    """OpenAI, and what is compatible with it."""

    name: ClassVar[str] = "openai"
    providers: ClassVar[tuple[str, ...]] = (
        "openai",
        "custom_openai",
        "lm_studio",
        "openai_like",
        "text-completion-codestral",
        "text-completion-openai",
        "ai21",
        "azure_ai",
        "cerebras",
        "codestral",
        "dashscope",
        "deepinfra",
        "deepseek",
        "fireworks_ai",
        "github",
        "groq",
        "hyperbolic",
        "litellm_proxy",
        "llamafile",
        "mistral",
        "moonshot",
        "nebius",
        "novita",
        "nvidia_nim",
        "perplexity",
        "sambanova",
        "together_ai",
        "volcengine",
        "xai",
        "zai",
    )
    formats: ClassVar[tuple[WireFormat, ...]] = (
        WIRE_FORMATS["chat_completions"],
        WIRE_FORMATS["responses"],
        WIRE_FORMATS["embeddings"],
        WIRE_FORMATS["text_completions"],
        WIRE_FORMATS["codestral_fim"],
    )
    key_headers: ClassVar[tuple[str, ...]] = ("authorization", "x-api-key")
    keyless: ClassVar[frozenset[str]] = frozenset()
    signs: ClassVar[bool] = False
    twin_only: ClassVar[str | None] = None
    rows: ClassVar[Mapping[str, ErrorRow]] = {
        "billing": _row(
            429,
            "insufficient_quota",
            "insufficient_quota",
            "You exceeded your current quota, please check your plan and billing details. For "
            "more information on this error, read the docs: "
            "https://platform.openai.com/docs/guides/error-codes/api-errors.",
            "public issues quote the body word for word",
        ),
        "billing.credit_balance_exhausted": _gone(
            "credit_balance_exhausted",
            "Your prepaid credit balance is exhausted. Add credits to continue using the API.",
        ),
        "billing.not_active": _row(
            429,
            "billing_not_active",
            "billing_not_active",
            "Your account is not active, please check your billing details on our website.",
            f"LiteLLM facts name the code; text: {GENERAL}",
            unconfirmed=True,
        ),
        "quota": _gone(
            "organization_spend_limit_exceeded",
            "Your organization has reached its monthly spend limit.",
        ),
        "quota.project": _gone(
            "project_spend_limit_exceeded", "Your project has reached its monthly spend limit."
        ),
        "quota.usage": _gone(
            "organization_usage_limit_exceeded", "Your organization has reached its usage limit."
        ),
        "rate_limit": _RATE_LIMIT,
        "rate_limit.retry_after_20": after(_RATE_LIMIT, 20, retry_after_ms="20000"),
        "rate_limit.retry_after_300": after(_RATE_LIMIT, 300, retry_after_ms="300000"),
        "rate_limit.slow_down": _row(
            429,
            "requests",
            "slow_down",
            "Please slow down your request rate.",
            f"{_DOCS} (code); text: {GENERAL}",
            unconfirmed=True,
        ),
        "overloaded": _row(
            503,
            "service_unavailable_error",
            "server_is_overloaded",
            "The server is currently overloaded with other requests. Please try again later.",
            f"{_DOCS} (status, type, code); text: {GENERAL}",
            unconfirmed=True,
        ),
        "auth_revoked": _row(
            401,
            "invalid_request_error",
            "invalid_api_key",
            "Incorrect API key provided: sk-under*****************stud. You can find your API key "
            "at https://platform.openai.com/account/api-keys.",
            f"{LITELLM}; whole text: {GENERAL}",
            unconfirmed=True,
        ),
        "auth_revoked.deactivated": _row(
            401,
            "invalid_request_error",
            "account_deactivated",
            "The OpenAI account associated with this API key has been deactivated.",
            GENERAL,
            unconfirmed=True,
        ),
        "permission.prefill_refused": _row(
            400,
            "invalid_request_error",
            None,
            "This model does not support assistant message prefill. The conversation must end "
            "with a user message.",
            f"as Anthropic's compatible endpoint would say it: {GENERAL}",
            param="messages",
            unconfirmed=True,
        ),
        "permission": _row(
            403,
            "request_forbidden",
            "unsupported_country_region_territory",
            "Country, region, or territory not supported",
            f"{_DOCS} (text); type and code: {GENERAL}",
            unconfirmed=True,
        ),
        "model_retired": _row(
            404,
            "invalid_request_error",
            "model_not_found",
            "The model `{model}` does not exist or you do not have access to it.",
            f"{LITELLM}; whole text: {GENERAL}",
            unconfirmed=True,
        ),
        "model_retired.deprecated": _row(
            404,
            "invalid_request_error",
            "model_not_found",
            "The model `{model}` has been deprecated, learn more here: "
            "https://platform.openai.com/docs/deprecations",
            f"{LITELLM}; whole text: {GENERAL}",
            unconfirmed=True,
        ),
        "context_window": _row(
            400,
            "invalid_request_error",
            "context_length_exceeded",
            "This model's maximum context length is 128000 tokens. However, your messages "
            "resulted in 140000 tokens. Please reduce the length of the messages.",
            LITELLM,
            param="messages",
        ),
        "content_policy": _row(
            400,
            "invalid_request_error",
            "content_policy_violation",
            "Your request was rejected as a result of our safety system.",
            LITELLM,
        ),
        "server_error": _row(
            500,
            "server_error",
            None,
            "The server had an error processing your request. Sorry about that! You can retry "
            "your request, or contact us through our help center at help.openai.com if you keep "
            "seeing this error.",
            LITELLM,
        ),
        "bad_gateway_html": bad_gateway_html("cloudflare"),
        "bad_gateway_html.cloudflare_520": cloudflare_520("api.openai.com"),
        "request_timeout": _row(
            408, "timeout", None, "Request timed out.", GENERAL, unconfirmed=True
        ),
    }

    def recognise(self, call: RawCall) -> Call | None:
        """Tell what *call* asks for if it is in this dialect, else None."""
        if call.method == "POST" and _ANTHROPIC_PATH.fullmatch(call.path) is not None:
            return call_by_body(call, "anthropic", "messages")
        if call.method == "POST" and isinstance(call.body.get("prompt"), str | list):
            if _COMPLETIONS.fullmatch(call.path) is not None:
                return call_by_body(call, self.name, "text_completions")
            if _FIM.fullmatch(call.path) is not None:
                return call_by_body(call, self.name, "codestral_fim")
        return openai_call(call, self.name)

    def real_url(self, base: str, call: RawCall) -> str:
        """Name the provider's own URL for *call*."""
        if _ANTHROPIC_PATH.fullmatch(call.path) is not None:
            parts = urlsplit(base)
            root = parts.path.rstrip("/").removesuffix("/v1").removesuffix("/beta")
            base = urlunsplit(parts._replace(path=root))
        return base if call.path == "/" else join_url(base, call)
