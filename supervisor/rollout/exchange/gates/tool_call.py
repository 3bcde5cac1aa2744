"""It calls a tool when it is asked to: whole and streamed, with the note that it was given.

It is asked as drills ask, past the gateway.
"""

import json
from collections.abc import Sequence

from chaos.protocol.formats import WIRE_FORMATS
from chaos.scenario.plan import fresh_nonce
from chaos.traffic.note_tool import RECORD_NOTE
from chaos.traffic.shapes import SHAPES
from supervisor.rollout.exchange.running import Swapping
from supervisor.rollout.exchange.said import deltas_of, messages_of
from supervisor.rollout.finding import Answer, Finding
from supervisor.rollout.render_probe import call_of

WITHIN_S = 120.0
TRIES = 3
"""A model may miss once; it is the engine that is judged."""

MAX_TOKENS = 2048
ASKED = "asked to call a tool it calls it, whole and streamed, with the note that it was given"


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
    nonce = fresh_nonce()
    task = SHAPES["tool_call"].task(nonce, max_tokens=MAX_TOKENS)
    written = WIRE_FORMATS["chat_completions"].write_ask(task.ask, model=swap.model, stream=stream)
    body = {**written, "temperature": 0}
    asked = await swap.line.post("/v1/chat/completions", body, within_s=WITHIN_S)
    if not asked.ok:
        return f"{asked.told} {asked.text[:200]}"
    messages = deltas_of(asked.text) if stream else messages_of(asked.json)
    call = call_of(messages)
    if call is None:
        text = "".join(str(one.get("content") or "") for one in messages)
        return f"no call, but {text[:160]!r}" if text else "neither a call nor a text"
    name, arguments = call
    note = arguments.get("note") if isinstance(arguments, dict) else None
    if name != RECORD_NOTE.name or note != nonce:
        return f"{json.dumps(call)[:160]}, and the note was {nonce}"
    return ""
