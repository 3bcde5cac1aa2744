"""What the simulated engine answers: the model writes, the flags decide how it is read. [pure]."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from chaos.lab.engine_flags import EngineFlags
from chaos.lab.engine_refusals import CHARACTERS_PER_TOKEN, prompt_text, tokens_in
from chaos.lab.model_text import CONSTRAINING, ModelFormat, parsed, written
from chaos.protocol.conversation import Answer, Ask, Finish, Json, ToolCall
from chaos.protocol.format import Piece, PieceKind
from chaos.protocol.stand_in import compose

THOUGHT = "What was asked for is clear, so the answer comes at once."
EVENT = b"data: "
DONE = b"[DONE]"


def answer_of(flags: EngineFlags, ask: Ask, body: Json) -> Answer:
    """Let the model write, cut it at ``max_tokens``, and read it as *flags* say."""
    tools = bool(ask.tools) and ask.tool_choice != "none"
    forced = tools and ask.tool_choice != "auto"
    calls_in = flags.model_format
    if forced and flags.tool_call_parser in CONSTRAINING:
        calls_in = ModelFormat(flags.tool_call_parser)
    meant = replace(compose(ask), reasoning=THOUGHT if _thinks(flags, ask, body) else "")
    text = (
        flags.always_says
        or _forced_text(body)
        or written(meant, flags.model_format, calls_in=calls_in)
    )
    if not (ask.tools or ask.response_schema or flags.always_says or _forced_text(body)):
        text = _at_length(text, flags, ask, body)
    cut = ask.max_tokens is not None and tokens_in(text) > ask.max_tokens
    if ask.max_tokens is not None:
        text = text[: ask.max_tokens * CHARACTERS_PER_TOKEN]
    read = parsed(
        text,
        tool_parser=flags.tool_call_parser,
        reasoning_parser=flags.reasoning_parser,
        tools=tools,
    )
    calls = read.tool_calls
    if flags.bare_arguments == "strings":
        calls = tuple(_in_strings(call) for call in calls)
    # A whole reply to a forced call claims one even where there is none; a stream does not.
    claims_call = bool(calls) or (forced and not body.get("stream"))
    finish = Finish.TOOL_CALLS if claims_call else Finish.STOP
    return Answer(
        text=read.content,
        tool_calls=calls,
        reasoning=read.reasoning,
        finish=Finish.LENGTH if cut else finish,
        input_tokens=tokens_in(prompt_text(ask)),
        output_tokens=tokens_in(text),
    )


def _at_length(text: str, flags: EngineFlags, ask: Ask, body: Json) -> str:
    """Go on after the answer, as a long one does, or where ``ignore_eos`` forbids an end."""
    least = flags.writes_tokens if ask.temperature == 0 else 0
    if body.get("ignore_eos") is True and ask.max_tokens is not None:
        least = ask.max_tokens
    if ask.max_tokens is not None:
        least = min(least, ask.max_tokens)
    missing = least - tokens_in(text)
    return text + " so" + " and" * missing if missing > 0 else text


def in_steps(pieces: Sequence[Piece], tokens: int) -> tuple[Piece, ...]:
    """Split the text of a streamed chat completion as an engine makes it: step by step."""
    steps: list[Piece] = []
    for piece in pieces:
        text = piece.data.removeprefix(EVENT).strip()
        if piece.kind is not PieceKind.CONTENT or text == DONE:
            steps.append(piece)
            continue
        event: dict[str, Any] = json.loads(text)
        delta = event["choices"][0]["delta"]
        whole, wide = delta.get("content") or "", tokens * CHARACTERS_PER_TOKEN
        for begin in range(0, len(whole), wide):
            delta["content"] = whole[begin : begin + wide]
            steps.append(replace(piece, data=EVENT + json.dumps(event).encode() + b"\n\n"))
    return tuple(steps)


def _forced_text(body: Json) -> str | None:
    """Take the text that the request's own grammar leaves no choice but to write.

    Source: vLLM 0.32.0, run: ``structured_outputs.choice``, also beside tools.
    """
    grammar = body.get("structured_outputs")
    choices = grammar.get("choice") if isinstance(grammar, dict) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, str) else None


def _in_strings(call: ToolCall) -> ToolCall:
    """Hand every bare value on as a string.

    Source: github.com/vllm-project/vllm/issues/47906 (vLLM 0.24, its gemma4 parser).
    """

    def strings(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: strings(of) for key, of in value.items()}
        if isinstance(value, list):
            return [strings(of) for of in value]
        return value if isinstance(value, str) else json.dumps(value)

    arguments = json.dumps(strings(json.loads(call.arguments)), ensure_ascii=False)
    return replace(call, arguments=arguments)


def _thinks(flags: EngineFlags, ask: Ask, body: Json) -> bool:
    template = body.get("chat_template_kwargs")
    if isinstance(template, dict) and template.get("enable_thinking") is False:
        return False
    # Without a reasoning parser a grammar rules from the first token on: no room to think.
    grammar_first = ask.response_schema is not None and flags.reasoning_parser is None
    return flags.thinks and not grammar_first


def fingerprint(flags: EngineFlags) -> str:
    """Name the build and engine configuration; parser flags are no part of it, as in vLLM."""
    covered = f"{flags.model} {flags.max_model_len}"
    return f"vllm-{flags.version}-{hashlib.sha256(covered.encode()).hexdigest()[:8]}"


def as_vllm(
    pieces: Sequence[Piece], flags: EngineFlags, answer: Answer, body: Json
) -> tuple[Piece, ...]:
    """Add to a chat completion what only vLLM says, and leave out usage nobody asked for."""
    options = body.get("stream_options")
    wants_usage = not body.get("stream") or (
        isinstance(options, dict) and bool(options.get("include_usage"))
    )
    marked = []
    for piece in pieces:
        event = piece.data.startswith(EVENT)
        text = piece.data.removeprefix(EVENT).strip()
        if text == DONE:
            marked.append(piece)
            continue
        reply: dict[str, Any] = json.loads(text)
        reply["system_fingerprint"] = fingerprint(flags)
        if "usage" in reply:
            if not wants_usage:
                continue
            reply["usage"]["completion_tokens_details"] = (
                None
                if flags.reasoning_parser is None
                else {"reasoning_tokens": tokens_in(answer.reasoning)}
            )
        data = json.dumps(reply).encode()
        marked.append(replace(piece, data=EVENT + data + b"\n\n" if event else data))
    return tuple(marked)
