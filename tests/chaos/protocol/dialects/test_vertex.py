"""Vertex AI's calls and errors."""

import pytest

from chaos.protocol.dialect import RawCall
from chaos.protocol.dialects import dialect_of
from chaos.protocol.dialects.vertex import Vertex

GEMINI = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
CLAUDE = {"messages": [], "anthropic_version": "vertex-2023-10-16"}
WHOLE = "/v1/projects/p/locations/us-central1/publishers/google/models"


@pytest.mark.parametrize(
    ("path", "body", "spoken", "stream", "readable"),
    [
        ("/:generateContent", GEMINI, "generate_content", False, True),
        ("/:streamGenerateContent", GEMINI, "generate_content", True, True),
        ("/:rawPredict", CLAUDE, "vertex_raw_predict", False, True),
        ("/:streamRawPredict", CLAUDE, "vertex_raw_predict", True, True),
        ("/:rawPredict", {"model": "mistral-large"}, "vertex_raw_predict", False, False),
        ("/:predict", {"instances": [{"content": "hi"}]}, "generate_content", False, False),
    ],
)
def test_what_litellm_asks_is_told_by_the_operation(path, body, spoken, stream, readable):
    """Right behind the address, without a model; other languages can fail, and are not read."""
    found = Vertex().recognise(RawCall("POST", path, {}, body))
    assert found is not None
    assert (found.format.name, found.stream, found.readable, found.model) == (
        spoken,
        stream,
        readable,
        "",
    )


def test_a_whole_address_names_the_model():
    """LiteLLM writes it so below an address without a path."""
    path = f"{WHOLE}/gemini-2.5-pro:generateContent"
    found = Vertex().recognise(RawCall("POST", path, {}, GEMINI))
    assert found is not None
    assert found.model == "gemini-2.5-pro"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/:generateContent"), ("POST", "/:countTokens"), ("POST", "/generateContent")],
)
def test_other_requests_are_no_calls(method, path):
    """Counting tokens asks no model."""
    assert Vertex().recognise(RawCall(method, path, {}, GEMINI)) is None


def test_it_signs_in_and_is_for_twins_alone():
    """Its errors are Google's; a token that is no longer good is a 401 there."""
    for provider in ("vertex_ai", "vertex_ai_beta"):
        found = dialect_of(provider)
        assert found is not None
        assert (found.name, found.signs) == ("vertex", True)
        assert "real access token" in (found.twin_only or "")
    assert Vertex.rows["auth_revoked"].status == 401
    assert Vertex.rows["rate_limit"].status == 429


def test_real_addresses():
    """The operation follows the base as it is."""
    base = "https://proxy.example/vertex"
    vertex = Vertex()
    assert vertex.real_url(base, RawCall("POST", "/:rawPredict", {}, {})) == f"{base}:rawPredict"
    whole = f"{WHOLE}/m:generateContent"
    assert vertex.real_url("https://p.example", RawCall("POST", whole, {}, {})) == (
        f"https://p.example{whole}"
    )
