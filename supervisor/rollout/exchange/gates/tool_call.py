"""It calls a tool when it is asked to: whole and streamed, with the argument that it was given."""

import json
import secrets
from collections.abc import Sequence
from typing import Any

from supervisor.rollout.exchange.running import Swapping
from supervisor.rollout.exchange.said import deltas_of, messages_of
from supervisor.rollout.finding import Answer, Finding
from supervisor.rollout.render_probe import call_of

WITHIN_S = 120.0
TRIES = 3
"""A model may miss once; it is the engine that is judged."""

NAME = "report_code"
ASKED = "asked to call a tool it calls it, whole and streamed, with the code that it was given"


async def gate(swap: Swapping) -> Sequence[Finding]:
    """Ask in both ways, as often as it takes."""
    if not swap.tools:
        came = "the engine that served before had no tool-call parser, and the new one has none"
        return [Finding("tool call", Answer.UNKNOWN, ASKED, came)]
    missed = []
    for stream in (False, True):
        way = "streamed" if stream else "whole"
        why = ""
        for _ in range(TRIES):
            why = await _missed(swap, stream=stream)
            if not why:
                break
        if why:
            missed.append(f"{way}: {why}")
    if missed:
        return [Finding("tool call", Answer.REFUSED, ASKED, "; ".join(missed))]
    return [Finding("tool call", Answer.OK, ASKED, "it does")]


async def _missed(swap: Swapping, *, stream: bool) -> str:
    code = secrets.token_hex(4)
    body = _request(swap.model, code, stream=stream)
    asked = await swap.line.post("/v1/chat/completions", body, within_s=WITHIN_S)
    if not asked.ok:
        return f"{asked.told} {asked.text[:200]}"
    messages = deltas_of(asked.text) if stream else messages_of(asked.json)
    call = call_of(messages)
    if call is None:
        text = "".join(str(one.get("content") or "") for one in messages)
        return f"no call, but {text[:160]!r}" if text else "neither a call nor a text"
    name, arguments = call
    if name != NAME or not isinstance(arguments, dict) or arguments.get("code") != code:
        return f"{json.dumps(call)[:160]}, and the code was {code}"
    return ""


def _request(model: str, code: str, *, stream: bool) -> dict[str, Any]:
    parameters = {
        "type": "object",
        "properties": {"code": {"type": "string"}},
        "required": ["code"],
    }
    description = "Report a code."
    function = {"name": NAME, "description": description, "parameters": parameters}
    asks = f"Call the tool {NAME} with the code {code}. Do not answer in words."
    return {
        "model": model,
        "messages": [{"role": "user", "content": asks}],
        "tools": [{"type": "function", "function": function}],
        "tool_choice": "auto",
        "max_tokens": 512,
        "temperature": 0,
        "stream": stream,
    }
