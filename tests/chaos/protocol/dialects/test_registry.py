"""What every dialect promises, and how a deployment's dialect is found."""

import json
import re
from typing import Any

import pytest

from chaos.protocol.dialect import RawCall
from chaos.protocol.dialects import (
    DEFAULT_BASES,
    DIALECTS,
    dialect_of,
    upstream_model,
)
from chaos.protocol.formats import WIRE_FORMATS
from tests.fakes.recorded_requests import recorded_calls

STATUS_FAULTS = [
    "billing",
    "quota",
    "rate_limit",
    "overloaded",
    "auth_revoked",
    "permission",
    "model_retired",
    "context_window",
    "content_policy",
    "server_error",
    "bad_gateway_html",
    "request_timeout",
]
ROWS = [(name, row) for name, dialect in DIALECTS.items() for row in dialect.rows]
EXACT = [name for name in DIALECTS if name != "generic"]  # that one takes all, by its address
COMPATIBLE = {"openai", "openrouter", "vllm"}
UNREAD = "bedrock/amazon.titan-embed-text-v2:0"  # a language of its own, on /invoke
CALLS = [(label, call) for label, call in recorded_calls() if not label.startswith(UNREAD)]
FIM = "/v1/fim/completions"  # LiteLLM adds nothing to the address, which is to name it
FORMATS = {
    "chat/completions": "chat_completions",
    "responses": "responses",
    "embeddings": "embeddings",
    "messages": "messages",
    "converse": "converse",
    "converse-stream": "converse",
    "invoke": "bedrock_invoke",
    "invoke-with-response-stream": "bedrock_invoke",
    "generateContent": "generate_content",
    "streamGenerateContent": "generate_content",
    "batchEmbedContents": "gemini_embeddings",
    "/completions": "text_completions",
    "fim/completions": "codestral_fim",
    "api/chat": "ollama_chat",
    "api/generate": "ollama_generate",
    "api/embed": "ollama_embeddings",
}


@pytest.mark.parametrize(("name", "row"), ROWS)
def test_every_row_can_be_sent(name, row):
    """A row has an error's status, a body that is text or JSON, and a source."""
    told = DIALECTS[name].rows[row]
    assert 400 <= told.status <= 599
    json.dumps(told.body)
    assert told.source
    assert all(key == key.lower() for key in told.headers)
    assert all(value.isascii() for value in told.headers.values())


@pytest.mark.parametrize(("name", "row"), ROWS)
def test_every_row_is_named_after_a_status_fault(name, row):
    """A row's name is a fault of the contract, and a variant's fits into a scenario key."""
    fault, _, variant = row.partition(".")
    assert fault in STATUS_FAULTS
    assert re.fullmatch(r"[a-z0-9_]*", variant)


@pytest.mark.parametrize(("name", "row"), ROWS)
def test_what_is_generally_known_is_marked(name, row):
    """A row whose text has no public source says so."""
    told = DIALECTS[name].rows[row]
    if told.source.startswith("general knowledge"):
        assert told.unconfirmed


@pytest.mark.parametrize("name", DIALECTS)
def test_substitutes_exist_everywhere(name):
    """Every provider can fail with an error of its own, a proxy's page, and a timeout."""
    rows = DIALECTS[name].rows
    assert {"server_error", "bad_gateway_html", "request_timeout"} <= rows.keys()
    assert rows["request_timeout"].status == 408
    assert isinstance(rows["bad_gateway_html"].body, str)


@pytest.mark.parametrize("name", DIALECTS)
def test_a_plain_rate_limit_names_no_delay(name):
    """Only variants carry Retry-After, and they differ from the plain row in nothing else."""
    rows = DIALECTS[name].rows
    for row, told in rows.items():
        if row.endswith(("retry_after_20", "retry_after_300")):
            assert told.headers["retry-after"] == row.rsplit("_", 1)[1]
            plain = rows[row.partition(".")[0]]
            assert (told.status, told.body) == (plain.status, plain.body)
            assert "retry-after" not in plain.headers


@pytest.mark.parametrize("name", ["anthropic", "openai", "azure", "openrouter"])
def test_providers_that_name_delays_can_be_drilled_with_both(name):
    """A delay that LiteLLM waits for, and one that it ignores."""
    rows = DIALECTS[name].rows
    assert {"rate_limit.retry_after_20", "rate_limit.retry_after_300"} <= rows.keys()


@pytest.mark.parametrize("name", DIALECTS)
def test_formats_come_from_their_registry(name):
    """A dialect speaks registered wire formats, and has some."""
    formats = DIALECTS[name].formats
    assert formats
    assert all(WIRE_FORMATS[spoken.name] is spoken for spoken in formats)


@pytest.mark.parametrize("name", ["anthropic", "gemini", "bedrock", "ollama", "vertex"])
def test_errors_have_the_providers_own_envelope(name):
    """The strict reader of a provider's own format finds every JSON row well formed."""
    dialect = DIALECTS[name]
    for row, told in dialect.rows.items():
        if isinstance(told.body, str):
            continue
        error = dialect.formats[0].read_reply(told.status, json.dumps(told.body).encode()).error
        assert error is not None, row
        assert error.well_formed, row


def expected_stream(call: RawCall) -> bool:
    """Tell whether *call* asks for a stream, from what crossed the wire alone."""
    return bool(call.body.get("stream")) or "stream" in call.path.lower()


@pytest.mark.parametrize(("label", "call"), CALLS, ids=[label for label, _ in CALLS])
def test_a_provider_recognises_its_own_requests(label, call):
    """Model, stream and format of every recorded request are read by its provider's dialect."""
    model = label.split(" ")[0]
    provider = model.partition("/")[0]
    dialect = dialect_of(provider)
    assert dialect is not None
    found = dialect.recognise(call)
    assert found is not None
    assert found.model == upstream_model(provider, model)
    assert found.stream is expected_stream(call)
    path = call.path if call.path != "/" else FIM
    operation = next(name for name in sorted(FORMATS, key=len)[::-1] if path.endswith(name))
    assert found.format is WIRE_FORMATS[FORMATS[operation]]
    assert found.dialect in DIALECTS


@pytest.mark.parametrize(("label", "call"), CALLS, ids=[label for label, _ in CALLS])
def test_no_other_family_recognises_them(label, call):
    """Only the dialects that share a language can take a request for their own."""
    dialect = dialect_of(label.partition("/")[0])
    assert dialect is not None
    family = COMPATIBLE if dialect.name in COMPATIBLE else {dialect.name}
    takers = {name for name in EXACT if DIALECTS[name].recognise(call) is not None}
    assert takers <= family


@pytest.mark.parametrize("name", EXACT)
def test_what_is_no_call_is_not_recognised(name):
    """Other methods, other paths and bodies without a model are nobody's calls."""
    body: dict[str, Any] = {"model": "m"}
    for method, path, told in (
        ("GET", "/chat/completions", body),
        ("GET", "/v1/messages", body),
        ("POST", "/", body),
        ("POST", "/v1/models", body),
        ("POST", "/chat/completions/x", body),
        ("POST", "/chat/completions", {}),
        ("POST", "/v1/messages", {"model": 5}),
        ("POST", "/models/m:countTokens", {}),
        ("POST", "/model/m/count-tokens", {}),
        ("POST", "/openai/responses", {}),
    ):
        assert DIALECTS[name].recognise(RawCall(method, path, {}, told)) is None


def test_an_unknown_provider_has_no_dialect():
    """Nobody speaks for a provider that is not listed."""
    assert dialect_of("cohere_chat") is None
    assert dialect_of("") is None


def test_a_provider_has_one_dialect():
    """No two dialects claim the same prefix."""
    prefixes = [prefix for dialect in DIALECTS.values() for prefix in dialect.providers]
    assert len(prefixes) == len(set(prefixes))


@pytest.mark.parametrize("provider", DEFAULT_BASES)
def test_every_default_base_belongs_to_a_known_provider(provider):
    """The table of addresses holds https URLs of providers that have a dialect."""
    assert dialect_of(provider) is not None
    assert DEFAULT_BASES[provider].startswith("https://")
    assert not DEFAULT_BASES[provider].endswith("/")


@pytest.mark.parametrize(
    ("provider", "litellm_model", "wire"),
    [
        ("openai", "gpt-4o", "gpt-4o"),
        ("openai", "openai/chat/foo", "chat/foo"),
        ("azure", "azure/responses/gpt-5", "gpt-5"),
        ("azure", "azure/o_series/dep", "dep"),
        ("openrouter", "openrouter/openai/gpt-4o-mini", "openai/gpt-4o-mini"),
        ("bedrock", "bedrock/us-west-2/anthropic.claude-v2:1", "anthropic.claude-v2:1"),
        ("bedrock", "bedrock/converse/us-gov-east-1/x.y", "x.y"),
        ("bedrock_converse", "bedrock/converse/x.y", "x.y"),
        ("bedrock", "bedrock/arn:aws:bedrock:r:1:profile/abc", "arn:aws:bedrock:r:1:profile/abc"),
        ("fireworks_ai", "fireworks_ai/llama", "accounts/fireworks/models/llama"),
        ("fireworks_ai", "fireworks_ai/accounts/me/models/x", "accounts/me/models/x"),
        ("together_ai", "together_ai/meta-llama/Llama-3-8b", "meta-llama/Llama-3-8b"),
    ],
)
def test_a_models_name_on_the_wire(provider, litellm_model, wire):
    """Prefixes that LiteLLM takes for itself never cross the wire."""
    assert upstream_model(provider, litellm_model) == wire
