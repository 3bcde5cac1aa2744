"""vLLM's errors and addresses."""

import pytest

from chaos.protocol.dialect import RawCall
from chaos.protocol.dialects.vllm import Vllm

ROWS = Vllm.rows


def test_tools_that_are_not_enabled_are_a_400():
    """The sentence names both flags."""
    row = ROWS["permission.tools_not_enabled"]
    assert row.status == 400
    assert row.body["error"]["message"] == (
        '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
    )


def test_too_many_output_tokens_are_a_400():
    """A small model refuses what agents ask for, although the prompt would fit."""
    error = ROWS["context_window"].body["error"]
    assert error["message"].startswith(
        "This model's maximum context length is 32768 tokens. However, you requested 33077 tokens "
        "(1077 in the messages, 32000 in the completion)."
    )
    assert (error["type"], error["code"]) == ("BadRequestError", 400)


def test_it_has_no_bill_and_no_rate_limit():
    """A local engine lacks the failures of business."""
    names = {row.partition(".")[0] for row in ROWS}
    assert not names & {"billing", "quota", "rate_limit", "overloaded", "content_policy"}


@pytest.mark.parametrize(
    ("base", "path", "url"),
    [
        ("http://e:8000/v1", "/chat/completions", "http://e:8000/v1/chat/completions"),
        ("http://e:8000/v1", "/v1/responses", "http://e:8000/v1/responses"),
        ("http://e:8000", "/v1/responses", "http://e:8000/v1/responses"),
        ("http://e:8000/v1", "/embeddings", "http://e:8000/v1/embeddings"),
    ],
)
def test_real_addresses(base, path, url):
    """LiteLLM says /v1 on some paths and leaves it to the base on others."""
    assert Vllm().real_url(base, RawCall("POST", path, {}, {})) == url


def test_its_own_messages_api_is_not_asked_for():
    """LiteLLM translates that surface into chat completions."""
    assert Vllm().recognise(RawCall("POST", "/v1/messages", {}, {"model": "m"})) is None
