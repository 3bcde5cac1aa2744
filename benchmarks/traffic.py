"""What is sent and what is answered, the same for every server that is measured."""

import json
from typing import Any

from chaos.protocol.surfaces import SURFACES
from chaos.traffic.shapes import SHAPES

FAULTED_NONCE = "3fa91c02"
"""A request with it in its body gets the error."""

PASSED_NONCE = "5bd0e7a1"
"""A request with it in its body goes to the upstream and comes back as a stream."""

FAULTED_MODEL = "gpt-5"
PASSED_MODEL = "gemma"
PATH = "/lane/{lane}/chat/completions"

ERROR_STATUS = 429
ERROR_BODY = json.dumps(
    {
        "error": {
            "message": "Rate limit reached for gpt-5 in organization org-understudy on tokens per "
            "min (TPM): Limit 30000, Used 29800, Requested 3200. Please try again in 6s. Visit "
            "https://platform.openai.com/account/rate-limits to learn more.",
            "type": "tokens",
            "param": None,
            "code": "rate_limit_exceeded",
        }
    }
).encode()

EVENTS = 12
"""Events of one streamed answer, before the one that ends it."""


def request_body(nonce: str, model: str, *, stream: bool) -> bytes:
    """Write a drill's request with a tool, as a gateway sends it on."""
    task = SHAPES["tool_call"].task(nonce, max_tokens=512)
    surface = SURFACES["chat_completions"]
    return json.dumps(surface.format.write_ask(task.ask, model=model, stream=stream)).encode()


def faulted_request() -> bytes:
    """Write the request that gets the error."""
    return request_body(FAULTED_NONCE, FAULTED_MODEL, stream=False)


def passed_request() -> bytes:
    """Write the request that is passed through and answered with a stream."""
    return request_body(PASSED_NONCE, PASSED_MODEL, stream=True)


def stream_events() -> list[bytes]:
    """Write the events of a streamed answer, as an engine does."""
    words = [f"word {number} " for number in range(EVENTS - 1)]
    chunks: list[dict[str, Any]] = [
        _chunk({"role": "assistant", "content": word} if number == 0 else {"content": word})
        for number, word in enumerate(words)
    ]
    chunks.append(_chunk({}, finish="stop"))
    return [*(f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks), b"data: [DONE]\n\n"]


def _chunk(delta: dict[str, str], finish: str | None = None) -> dict[str, Any]:
    return {
        "id": "chatcmpl-benchmark",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": PASSED_MODEL,
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }
