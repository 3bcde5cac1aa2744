"""Azure OpenAI: ``/openai/deployments/M/chat/completions?api-version=…``.

Shape:
    {"error": {"code": str, "message": str, …}}

The deployment's name is in the path; only the responses API takes it from the body.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Final
from urllib.parse import unquote

from chaos.protocol.addressing import OPENAI_FORMATS, call_by_body, join_url
from chaos.protocol.dialect import Call, ErrorRow, RawCall
from chaos.protocol.error_rows import GENERAL, after, bad_gateway_html, general
from chaos.protocol.format import WireFormat
from chaos.protocol.formats import WIRE_FORMATS

_OPERATION: Final = r"(?P<operation>chat/completions|responses|embeddings)/?"
_DEPLOYED: Final = re.compile(rf"(?:/openai)?/deployments/(?P<model>[^/]+)/{_OPERATION}")
_PLAIN: Final = re.compile(rf"/openai(?:/v1)?/{_OPERATION}")
_SERIES: Final = re.compile(r"^(?:o_series|gpt5_series)/")
"""LiteLLM 1.106.2 strips its own routing prefix on every path but that of the responses API."""

_QUESTION: Final = f"MS Q&A 2140040 (text); envelope: {GENERAL}"
_FILTER_ISSUES: Final = (
    "developersdigest.tech/errors/api/azure-openai; "
    "github.com/BerriAI/litellm/pull/16231, pull/42255"
)


def _body(code: str, message: str, **more: Any) -> Any:
    return {"error": {"code": code, "message": message, **more}}


def _filtered(apostrophe: str, inner_code: str) -> ErrorRow:
    """Make the answer of the prompt filter: it exists with both kinds of apostrophe."""
    hit = {"filtered": True, "severity": "high"}
    clean = {"filtered": False, "severity": "safe"}
    return ErrorRow(
        400,
        _body(
            "content_filter",
            "The response was filtered due to the prompt triggering Azure OpenAI"
            f"{apostrophe}s content management policy. Please modify your prompt and retry. To "
            "learn more about our content filtering policies please read our documentation: "
            "https://go.microsoft.com/fwlink/?linkid=2198766",
            type=None,
            param="prompt",
            status=400,
            innererror={
                "code": inner_code,
                "content_filter_result": {
                    "hate": clean,
                    "self_harm": clean,
                    "sexual": clean,
                    "violence": hit,
                },
            },
        ),
        _FILTER_ISSUES,
    )


_RATE_LIMIT = ErrorRow(
    429,
    _body(
        "429",
        "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version "
        "2024-10-01-preview have exceeded token rate limit of your current AIServices S0 pricing "
        "tier. Please retry after 37 seconds. Please go here: "
        "https://aka.ms/oai/quotaincrease if you would like to further increase the default rate "
        "limit.",
    ),
    _QUESTION,
    unconfirmed=True,
)


class Azure:
    """Azure OpenAI."""

    name: ClassVar[str] = "azure"
    providers: ClassVar[tuple[str, ...]] = ("azure",)
    formats: ClassVar[tuple[WireFormat, ...]] = (
        WIRE_FORMATS["chat_completions"],
        WIRE_FORMATS["responses"],
        WIRE_FORMATS["embeddings"],
    )
    key_headers: ClassVar[tuple[str, ...]] = ("api-key", "authorization")
    keyless: ClassVar[frozenset[str]] = frozenset()
    signs: ClassVar[bool] = False
    twin_only: ClassVar[str | None] = None
    rows: ClassVar[Mapping[str, ErrorRow]] = {
        "quota": general(
            403,
            _body(
                "QuotaExceeded",
                "Out of call volume quota. Quota will be replenished at the start of next month.",
            ),
        ),
        "rate_limit": _RATE_LIMIT,
        "rate_limit.retry_after_20": after(_RATE_LIMIT, 20, retry_after_ms="20000"),
        "rate_limit.retry_after_300": after(_RATE_LIMIT, 300, retry_after_ms="300000"),
        "overloaded": ErrorRow(
            429,
            _body(
                "no_capacity",
                "The system is currently experiencing high demand and cannot process your "
                "request. Your request exceeds the maximum usage size allowed during peak load.",
            ),
            f"github.com/BerriAI/litellm/issues/38968; envelope: {GENERAL}",
            unconfirmed=True,
        ),
        "auth_revoked": general(
            401,
            _body(
                "401",
                "Access denied due to invalid subscription key or wrong API endpoint. Make sure "
                "to provide a valid key for an active subscription and use a correct regional API "
                "endpoint for your resource.",
            ),
        ),
        "permission": general(
            403,
            _body(
                "AuthenticationTypeDisabled",
                "Key based authentication is disabled for this resource.",
            ),
        ),
        "model_retired": general(
            404,
            _body(
                "DeploymentNotFound",
                "The API deployment for this resource does not exist. If you created the "
                "deployment within the last 5 minutes, please wait a moment and try again.",
            ),
        ),
        "context_window": general(
            400,
            _body(
                "context_length_exceeded",
                "This model's maximum context length is 128000 tokens. However, your messages "
                "resulted in 140000 tokens. Please reduce the length of the messages.",
                type="invalid_request_error",
                param="messages",
            ),
        ),
        "content_policy": _filtered("'", "ResponsibleAIPolicyViolation"),
        "content_policy.curly": _filtered("\u2019", "ContentFiltered"),
        "content_policy.content_filtered": _filtered("'", "ContentFiltered"),
        "server_error": general(
            500,
            _body("InternalServerError", "The server had an error while processing your request."),
        ),
        "bad_gateway_html": bad_gateway_html("Microsoft-Azure-Application-Gateway/v2"),
        "request_timeout": general(408, _body("Timeout", "The operation was timeout.")),
    }

    def recognise(self, call: RawCall) -> Call | None:
        """Tell what *call* asks for if it is in this dialect, else None."""
        if call.method != "POST":
            return None
        if (deployed := _DEPLOYED.fullmatch(call.path)) is not None:
            stream = call.body.get("stream") is True
            wire_format = WIRE_FORMATS[OPENAI_FORMATS[deployed["operation"]]]
            return Call(self.name, wire_format, unquote(deployed["model"]), stream)
        if (plain := _PLAIN.fullmatch(call.path)) is not None:
            found = call_by_body(call, self.name, OPENAI_FORMATS[plain["operation"]])
            return found and replace(found, model=_SERIES.sub("", found.model))
        return None

    def real_url(self, base: str, call: RawCall) -> str:
        """Name the provider's own URL for *call*."""
        return join_url(base, call)
