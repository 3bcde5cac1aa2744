"""Gemini through Google AI Studio: ``/models/M:generateContent`` and its relatives.

Shape:
    {"error": {"code": int, "message": str, "status": str, "details"?: [object]}}

It never sends ``Retry-After``: a delay stands in the body, as ``RetryInfo``.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final
from urllib.parse import unquote

from chaos.protocol.addressing import join_url
from chaos.protocol.dialect import Call, ErrorRow, RawCall
from chaos.protocol.error_rows import GENERAL, bad_gateway_html, general
from chaos.protocol.format import WireFormat
from chaos.protocol.formats import WIRE_FORMATS

_PATH: Final = re.compile(r"(?:/v1(?:beta|alpha)?)?/models/(?P<model>.+):(?P<operation>\w+)")
_OPERATIONS: Final[Mapping[str, tuple[str, bool]]] = {
    "generateContent": ("generate_content", False),
    "streamGenerateContent": ("generate_content", True),
    "batchEmbedContents": ("gemini_embeddings", False),
    "embedContent": ("gemini_embed_content", False),
}
_TYPE: Final = "type.googleapis.com/google.rpc."
_DEPLETED: Final = (
    "Your prepayment credits are depleted. Please go to AI Studio at https://ai.studio/projects "
    "to manage your project and billing. Learn more at "
    "https://ai.google.dev/gemini-api/docs/billing#prepay."
)


def _body(code: int, status: str, message: str, *details: Mapping[str, Any]) -> Any:
    error: dict[str, Any] = {"code": code, "message": message, "status": status}
    if details:
        error["details"] = [dict(detail) for detail in details]
    return {"error": error}


def _quota(metric: str, quota_id: str, *, retry: str | None) -> ErrorRow:
    violation = {
        "quotaMetric": f"generativelanguage.googleapis.com/{metric}",
        "quotaId": quota_id,
        "quotaDimensions": {"location": "global", "model": "{model}"},
    }
    details = [
        {"@type": f"{_TYPE}QuotaFailure", "violations": [violation]},
        {
            "@type": f"{_TYPE}Help",
            "links": [
                {
                    "description": "Learn more about Gemini API quotas",
                    "url": "https://ai.google.dev/gemini-api/docs/rate-limits",
                }
            ],
        },
    ]
    if retry is not None:
        details.append({"@type": f"{_TYPE}RetryInfo", "retryDelay": retry})
    return ErrorRow(
        429,
        _body(
            429,
            "RESOURCE_EXHAUSTED",
            "You exceeded your current quota, please check your plan and billing details. For "
            "more information on this error, head to: "
            "https://ai.google.dev/gemini-api/docs/rate-limits.",
            *details,
        ),
        f"github.com/google-gemini/gemini-cli/issues/8437; RetryInfo: {GENERAL}",
        unconfirmed=retry is not None,
    )


class Gemini:
    """Gemini."""

    name: ClassVar[str] = "gemini"
    providers: ClassVar[tuple[str, ...]] = ("gemini",)
    formats: ClassVar[tuple[WireFormat, ...]] = (
        WIRE_FORMATS["generate_content"],
        WIRE_FORMATS["gemini_embeddings"],
        WIRE_FORMATS["gemini_embed_content"],
    )
    key_headers: ClassVar[tuple[str, ...]] = ("x-goog-api-key", "authorization")
    keyless: ClassVar[frozenset[str]] = frozenset()
    signs: ClassVar[bool] = False
    twin_only: ClassVar[str | None] = None
    rows: ClassVar[Mapping[str, ErrorRow]] = {
        "billing": ErrorRow(
            402,
            _body(402, "RESOURCE_EXHAUSTED", _DEPLETED),
            "discuss.ai.google.dev t/183654 (official notice of the change)",
        ),
        "billing.prepay_429": ErrorRow(
            429,
            _body(429, "RESOURCE_EXHAUSTED", _DEPLETED),
            "discuss.ai.google.dev t/183181, t/170005 (before the change)",
        ),
        "quota": _quota(
            "generate_content_free_tier_requests",
            "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
            retry=None,
        ),
        "rate_limit": _quota(
            "generate_content_paid_tier_input_token_count",
            "GenerateContentPaidTierInputTokensPerModelPerMinute",
            retry="20s",
        ),
        "rate_limit.shared_capacity": ErrorRow(
            429,
            _body(
                429,
                "RESOURCE_EXHAUSTED",
                "Resource exhausted. Please try again later. Please refer to "
                "https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429 for more "
                "details.",
            ),
            "github.com/google-gemini/gemini-cli/issues/14811",
        ),
        "overloaded": ErrorRow(
            503,
            _body(503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
            "github.com/BerriAI/litellm/issues/8632",
        ),
        "auth_revoked": ErrorRow(
            400,
            _body(
                400,
                "INVALID_ARGUMENT",
                "API key not valid. Please pass a valid API key.",
                {
                    "@type": f"{_TYPE}ErrorInfo",
                    "reason": "API_KEY_INVALID",
                    "domain": "googleapis.com",
                    "metadata": {"service": "generativelanguage.googleapis.com"},
                },
            ),
            "developersdigest.tech/errors/api/gemini-api",
        ),
        "auth_revoked.expired": general(
            400,
            _body(400, "INVALID_ARGUMENT", "API key expired. Please renew the API key."),
        ),
        "auth_revoked.oauth": ErrorRow(
            401,
            _body(
                401,
                "UNAUTHENTICATED",
                "Request had invalid authentication credentials. Expected OAuth 2 access token, "
                "login cookie or other valid authentication credential. See "
                "https://developers.google.com/identity/sign-in/web/devconsole-project.",
                {
                    "@type": f"{_TYPE}ErrorInfo",
                    "reason": "ACCESS_TOKEN_TYPE_UNSUPPORTED",
                    "domain": "googleapis.com",
                },
            ),
            "github.com/BerriAI/litellm/issues/18890",
        ),
        "permission": general(
            403,
            _body(
                403,
                "PERMISSION_DENIED",
                "Your API key was reported as leaked. Please use another API key.",
            ),
        ),
        "model_retired": general(
            404,
            _body(
                404,
                "NOT_FOUND",
                "models/{model} is not found for API version v1beta, or is not supported for "
                "generateContent. Call ListModels to see the list of available models and their "
                "supported methods.",
            ),
        ),
        "context_window": ErrorRow(
            400,
            _body(
                400,
                "INVALID_ARGUMENT",
                "The input token count (1200293) exceeds the maximum number of tokens allowed "
                "(1048576).",
            ),
            "github.com/google-gemini/gemini-cli/issues/6678, #12098",
        ),
        "server_error": general(
            500,
            _body(
                500,
                "INTERNAL",
                "An internal error has occurred. Please retry or report in "
                "https://developers.generativeai.google/guide/troubleshooting",
            ),
        ),
        "bad_gateway_html": bad_gateway_html(),
        "request_timeout": general(
            408, _body(408, "DEADLINE_EXCEEDED", "The request timed out. Please try again.")
        ),
    }

    def recognise(self, call: RawCall) -> Call | None:
        """Tell what *call* asks for if it is in this dialect, else None."""
        found = _PATH.fullmatch(call.path)
        if call.method != "POST" or found is None or found["operation"] not in _OPERATIONS:
            return None
        format_name, stream = _OPERATIONS[found["operation"]]
        return Call(self.name, WIRE_FORMATS[format_name], unquote(found["model"]), stream)

    def real_url(self, base: str, call: RawCall) -> str:
        """Name the provider's own URL for *call*."""
        return join_url(base, call)
