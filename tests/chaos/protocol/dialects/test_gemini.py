"""Gemini's errors and addresses, word for word."""

import pytest

from chaos.protocol.dialect import RawCall
from chaos.protocol.dialects import DEFAULT_BASES
from chaos.protocol.dialects.gemini import Gemini

ROWS = Gemini.rows


def test_depleted_credits_are_a_402_now_and_were_a_429():
    """The same sentence comes with both statuses."""
    message = (
        "Your prepayment credits are depleted. Please go to AI Studio at "
        "https://ai.studio/projects to manage your project and billing. Learn more at "
        "https://ai.google.dev/gemini-api/docs/billing#prepay."
    )
    for row, status in (("billing", 402), ("billing.prepay_429", 429)):
        assert ROWS[row].status == status
        assert ROWS[row].body == {
            "error": {"code": status, "message": message, "status": "RESOURCE_EXHAUSTED"}
        }


def test_a_bad_key_is_a_400():
    """Gemini says 400 where others say 401, and tells by the reason."""
    row = ROWS["auth_revoked"]
    assert row.status == 400
    assert row.body["error"]["message"] == "API key not valid. Please pass a valid API key."
    assert row.body["error"]["status"] == "INVALID_ARGUMENT"
    assert row.body["error"]["details"][0]["reason"] == "API_KEY_INVALID"


def test_the_model_is_overloaded_with_a_503():
    """Overload has the status UNAVAILABLE."""
    assert ROWS["overloaded"].status == 503
    assert ROWS["overloaded"].body["error"] == {
        "code": 503,
        "message": "The model is overloaded. Please try again later.",
        "status": "UNAVAILABLE",
    }


def test_no_row_has_a_retry_after():
    """Gemini names a delay in the body only."""
    assert not [row for row, told in ROWS.items() if "retry-after" in told.headers]
    details = ROWS["rate_limit"].body["error"]["details"]
    assert [detail["@type"].rsplit(".", 1)[1] for detail in details] == [
        "QuotaFailure",
        "Help",
        "RetryInfo",
    ]


def test_codes_and_statuses_agree():
    """The code in the body is the status of the reply."""
    for row, told in ROWS.items():
        if not isinstance(told.body, str):
            assert told.body["error"]["code"] == told.status, row


@pytest.mark.parametrize(
    ("path", "model", "stream", "wire_format"),
    [
        ("/models/gemini-2.5-pro:generateContent", "gemini-2.5-pro", False, "generate_content"),
        ("/v1beta/models/m:streamGenerateContent", "m", True, "generate_content"),
        ("/models/tuned%2Fx:generateContent", "tuned/x", False, "generate_content"),
        ("/models/e:batchEmbedContents", "e", False, "gemini_embeddings"),
        ("/models/e:embedContent", "e", False, "gemini_embed_content"),
    ],
)
def test_model_and_stream_are_in_the_path(path, model, stream, wire_format):
    """Nothing but the path is needed to know what is asked."""
    found = Gemini().recognise(RawCall("POST", path, {}, {}, "alt=sse"))
    assert found is not None
    assert (found.model, found.stream, found.format.name) == (model, stream, wire_format)


def test_the_real_address_keeps_the_query():
    """Without alt=sse Gemini would stream in another format."""
    call = RawCall("POST", "/models/m:streamGenerateContent", {}, {}, "alt=sse")
    base = DEFAULT_BASES["gemini"]
    assert Gemini().real_url(base, call) == (
        "https://generativelanguage.googleapis.com/v1beta/models/m:streamGenerateContent?alt=sse"
    )
