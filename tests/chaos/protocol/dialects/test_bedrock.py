"""Bedrock's errors and addresses."""

import pytest

from chaos.protocol.dialect import RawCall
from chaos.protocol.dialects.bedrock import Bedrock

ROWS = Bedrock.rows


def test_throttling_is_told_by_a_header():
    """The body has a message alone; the type is beside it, and no delay."""
    row = ROWS["rate_limit"]
    assert row.status == 429
    assert row.body == {
        "message": "Too many requests, please wait before trying again. You have sent too many "
        "requests. Wait before trying again."
    }
    assert row.headers["x-amzn-errortype"] == "ThrottlingException"
    assert "retry-after" not in row.headers


@pytest.mark.parametrize(
    ("row", "status", "type_"),
    [
        ("quota", 429, "ThrottlingException"),
        ("quota.service", 400, "ServiceQuotaExceededException"),
        ("overloaded.model_not_ready", 429, "ModelNotReadyException"),
        ("permission", 403, "AccessDeniedException"),
        ("permission.use_case_form", 404, "FTUFormNotFilled"),
        ("context_window", 400, "ValidationException"),
        ("model_retired", 404, "ResourceNotFoundException"),
    ],
)
def test_statuses_and_types(row, status, type_):
    """Each failure has the status and the type of the service."""
    assert (ROWS[row].status, ROWS[row].headers["x-amzn-errortype"]) == (status, type_)


def test_it_cannot_be_passed_on():
    """Requests are signed for the host that they were meant for."""
    assert Bedrock.signs


@pytest.mark.parametrize(
    ("path", "body", "model", "stream", "wire_format"),
    [
        ("/model/a.b-v1%3A0/converse", {}, "a.b-v1:0", False, "converse"),
        ("/model/a.b-v1%3A0/converse-stream", {}, "a.b-v1:0", True, "converse"),
        ("/model/arn%3Aaws%3Ax%2Fabc/converse", {}, "arn:aws:x/abc", False, "converse"),
        ("/model/a.b:0/invoke", {"anthropic_version": "v"}, "a.b:0", False, "bedrock_invoke"),
        (
            "/model/us-west-2/a.b:0/invoke-with-response-stream",
            {"anthropic_version": "v"},
            "a.b:0",
            True,
            "bedrock_invoke",
        ),
    ],
)
def test_model_and_stream_are_in_the_path(path, body, model, stream, wire_format):
    """The model is unescaped, and a region before it is LiteLLM's own."""
    found = Bedrock().recognise(RawCall("POST", path, {}, body))
    assert found is not None
    assert (found.model, found.stream, found.format.name) == (model, stream, wire_format)


def test_other_languages_on_invoke_are_not_understood():
    """Only Anthropic's language is read on /invoke."""
    call = RawCall("POST", "/model/amazon.titan-embed-text-v2%3A0/invoke", {}, {"inputText": "x"})
    assert Bedrock().recognise(call) is None


def test_the_path_stays_escaped():
    """An address keeps the escapes that the request had."""
    call = RawCall("POST", "/model/a.b-v1%3A0/converse", {}, {})
    assert Bedrock().real_url("https://b.amazonaws.com", call) == (
        "https://b.amazonaws.com/model/a.b-v1%3A0/converse"
    )
