"""Amazon Bedrock: ``/model/M/converse``, ``/converse-stream``, ``/invoke`` and its stream.

Shape:
    {"message": str}; the kind of error is in the header ``x-amzn-ErrorType``

Requests are signed for the host, so they can be made to fail, but not passed on. Errors inside
a stream are frames of ``event_stream``, not events.
"""

import re
from collections.abc import Mapping
from typing import ClassVar, Final
from urllib.parse import unquote

from chaos.protocol.addressing import join_url
from chaos.protocol.dialect import Call, ErrorRow, RawCall
from chaos.protocol.error_rows import GENERAL, LITELLM, bad_gateway_html
from chaos.protocol.format import WireFormat
from chaos.protocol.formats import WIRE_FORMATS

_PATH: Final = re.compile(r"/model/(?P<model>.+)/(?P<operation>[a-z-]+)")
_OPERATIONS: Final[Mapping[str, tuple[str, bool]]] = {
    "converse": ("converse", False),
    "converse-stream": ("converse", True),
    "invoke": ("bedrock_invoke", False),
    "invoke-with-response-stream": ("bedrock_invoke", True),
}
_REGION: Final = re.compile(r"^[a-z]{2}(?:-[a-z]+)+-\d/")
"""LiteLLM 1.106.2 strips the region of ``bedrock/us-west-2/…`` for Converse, not for invoke."""

_DOCS: Final = "AWS Bedrock: troubleshooting-api-error-codes"
_RE_POST: Final = "AWS re:Post: bedrock-throttling-error"


def _row(
    status: int, type_: str, message: str, source: str, *, unconfirmed: bool = False
) -> ErrorRow:
    headers = {
        "x-amzn-requestid": "5e1c0de5-0000-4000-8000-000000000001",
        "x-amzn-errortype": type_,
    }
    return ErrorRow(status, {"message": message}, source, headers, unconfirmed)


class Bedrock:
    """Amazon Bedrock."""

    name: ClassVar[str] = "bedrock"
    providers: ClassVar[tuple[str, ...]] = ("bedrock", "bedrock_converse")
    formats: ClassVar[tuple[WireFormat, ...]] = (
        WIRE_FORMATS["converse"],
        WIRE_FORMATS["bedrock_invoke"],
    )
    key_headers: ClassVar[tuple[str, ...]] = ("authorization", "x-amz-security-token")
    keyless: ClassVar[frozenset[str]] = frozenset()
    signs: ClassVar[bool] = True
    twin_only: ClassVar[str | None] = None
    rows: ClassVar[Mapping[str, ErrorRow]] = {
        "billing": _row(
            403,
            "AccessDeniedException",
            "Your account is not authorized to invoke this API operation. Verify that a valid "
            "payment instrument is on file for the account.",
            GENERAL,
            unconfirmed=True,
        ),
        "quota": _row(
            429,
            "ThrottlingException",
            "Too many tokens per day, please wait before trying again.",
            "hermes-agent pull request 26811",
        ),
        "quota.service": _row(
            400,
            "ServiceQuotaExceededException",
            "Your request exceeds the service quota for your account.",
            "developersdigest.tech/errors/api/bedrock",
        ),
        "rate_limit": _row(
            429,
            "ThrottlingException",
            "Too many requests, please wait before trying again. You have sent too many requests. "
            "Wait before trying again.",
            _RE_POST,
        ),
        "rate_limit.rate": _row(
            429,
            "ThrottlingException",
            "Your request rate is too high. Reduce the frequency of requests.",
            _RE_POST,
        ),
        "rate_limit.tokens": _row(
            429,
            "ThrottlingException",
            "Too many tokens, please wait before trying again.",
            _RE_POST,
        ),
        "overloaded": _row(
            503,
            "ServiceUnavailableException",
            "Bedrock is unable to process your request.",
            f"{_DOCS} (status and type); text: {GENERAL}",
            unconfirmed=True,
        ),
        "overloaded.model_not_ready": _row(
            429,
            "ModelNotReadyException",
            "The model is not ready for inference. Wait and try your request again.",
            f"developersdigest.tech/errors/api/bedrock (status and type); text: {GENERAL}",
            unconfirmed=True,
        ),
        "auth_revoked": _row(
            403,
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
            f"{_DOCS} (status); type and text: {GENERAL}",
            unconfirmed=True,
        ),
        "auth_revoked.expired": _row(
            403,
            "ExpiredTokenException",
            "The security token included in the request is expired",
            GENERAL,
            unconfirmed=True,
        ),
        "permission": _row(
            403,
            "AccessDeniedException",
            "You don't have access to the model with the specified model ID.",
            f"{_DOCS} (status and type); text: {GENERAL}",
            unconfirmed=True,
        ),
        "permission.use_case_form": _row(
            404,
            "FTUFormNotFilled",
            "Model use case details have not been submitted for this account. Fill out the "
            "Anthropic use case details form before using the model.",
            f"{_DOCS} (status and type); text: {GENERAL}",
            unconfirmed=True,
        ),
        "model_retired": _row(
            404,
            "ResourceNotFoundException",
            "This model version has reached the end of its life. Please refer to the AWS "
            "documentation for more details.",
            GENERAL,
            unconfirmed=True,
        ),
        "context_window": _row(
            400, "ValidationException", "Input is too long for requested model.", LITELLM
        ),
        "content_policy": _row(
            400,
            "ValidationException",
            "Output blocked by content filtering policy",
            f"{LITELLM} for Anthropic's models; type: {GENERAL}",
            unconfirmed=True,
        ),
        "server_error": _row(
            500,
            "InternalServerException",
            "The system encountered an unexpected error during processing. Try your request again.",
            f"{_DOCS} (status); botocore 1.44.5 (type); text: {GENERAL}",
            unconfirmed=True,
        ),
        "bad_gateway_html": bad_gateway_html(),
        "request_timeout": _row(
            408,
            "ModelTimeoutException",
            "The model took too long to process your request. Try your request again.",
            f"botocore 1.44.5 (status and type); text: {GENERAL}",
            unconfirmed=True,
        ),
    }

    def recognise(self, call: RawCall) -> Call | None:
        """Tell what *call* asks for if it is in this dialect, else None.

        Of ``/invoke`` only what speaks Anthropic's language is read: every other model family
        has a language of its own there.
        """
        found = _PATH.fullmatch(call.path)
        if call.method != "POST" or found is None or found["operation"] not in _OPERATIONS:
            return None
        format_name, stream = _OPERATIONS[found["operation"]]
        if format_name == "bedrock_invoke" and "anthropic_version" not in call.body:
            return None
        model = _REGION.sub("", unquote(found["model"]))
        return Call(self.name, WIRE_FORMATS[format_name], model, stream)

    def real_url(self, base: str, call: RawCall) -> str:
        """Name the provider's own URL for *call*; signed for another host, it will refuse."""
        return join_url(base, call)
