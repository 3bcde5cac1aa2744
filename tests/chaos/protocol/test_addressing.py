"""Real addresses are put together as LiteLLM would have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.protocol.addressing import call_by_body, join_url, openai_call
from chaos.protocol.dialect import RawCall


def call(path, query="", body=None):
    """Make a request for *path*."""
    return RawCall("POST", path, {}, {"model": "m"} if body is None else body, query)


@pytest.mark.parametrize(
    ("base", "path", "query", "url"),
    [
        ("https://a.com", "/v1/messages", "", "https://a.com/v1/messages"),
        ("https://a.com/", "/v1/messages", "", "https://a.com/v1/messages"),
        ("https://a.com/v1", "/v1/messages", "", "https://a.com/v1/messages"),
        ("https://a.com/v1/", "/chat/completions", "", "https://a.com/v1/chat/completions"),
        ("https://a.com/v1", "/v1/chat/completions", "", "https://a.com/v1/chat/completions"),
        ("https://a.com/v1/messages", "/v1/messages", "", "https://a.com/v1/messages"),
        ("https://a.com/x/v1/y", "/v1/messages", "", "https://a.com/x/v1/y/v1/messages"),
        (
            "https://g.com/v1beta",
            "/models/m:streamGenerateContent",
            "alt=sse",
            "https://g.com/v1beta/models/m:streamGenerateContent?alt=sse",
        ),
        ("https://g.com/v1beta", "/v1beta/models/m:x", "", "https://g.com/v1beta/models/m:x"),
        (
            "https://r.azure.com/openai/deployments/d",
            "/openai/deployments/d/chat/completions",
            "api-version=1",
            "https://r.azure.com/openai/deployments/d/chat/completions?api-version=1",
        ),
        ("http://h:8000/v1?a=1&b=2", "/embeddings", "b=3", "http://h:8000/v1/embeddings?a=1&b=3"),
        ("http://h:8000", "/model/a%3A0/converse", "", "http://h:8000/model/a%3A0/converse"),
    ],
)
def test_base_and_path_are_joined(base, path, query, url):
    """What base and path both say is said once; the query and all escapes stay."""
    assert join_url(base, call(path, query)) == url


_SEGMENTS = st.lists(st.sampled_from(["v1", "openai", "chat", "m%2Fn"]), min_size=1, max_size=4)


@given(_SEGMENTS, _SEGMENTS)
def test_nothing_of_the_path_is_lost(front, back):
    """A real URL ends with the path that was called, and begins with the base."""
    base = "https://a.com/" + "/".join(front)
    url = join_url(base, call("/" + "/".join(back)))
    assert url.endswith("/" + "/".join(back))
    assert url.startswith(base)


@pytest.mark.parametrize("prefix", ["", "/v1"])
@pytest.mark.parametrize("operation", ["chat/completions", "responses", "embeddings"])
def test_compatible_calls_come_with_or_without_version(prefix, operation):
    """Which side says /v1 differs between LiteLLM's providers."""
    found = openai_call(call(f"{prefix}/{operation}"), "openai")
    assert found is not None
    assert found.format.name == operation.replace("/", "_")


def test_only_true_asks_for_a_stream():
    """A stream flag of another type is none."""
    for value, stream in ((True, True), (False, False), (None, False), ("true", False)):
        found = call_by_body(call("/", body={"model": "m", "stream": value}), "d", "messages")
        assert found is not None
        assert found.stream is stream


def test_operations_can_be_limited():
    """A dialect that lacks an operation does not recognise it."""
    assert openai_call(call("/responses"), "x", ["embeddings"]) is None
