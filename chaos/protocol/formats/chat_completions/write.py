"""OpenAI's chat completions: the language of OpenAI, Azure, OpenRouter, vLLM, and LiteLLM itself.

Replies are read in ``chat_completions_reply`` and ``chat_completions_stream``.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any, ClassVar

from chaos.protocol.conversation import (
    Answer,
    Ask,
    Finish,
    Json,
    ResponseSchema,
    Role,
    ToolCall,
    ToolSpec,
    Turn,
)
from chaos.protocol.format import Piece, PieceKind
from chaos.protocol.formats.chat_completions.reply import FINISHES, read_completion
from chaos.protocol.formats.chat_completions.stream import ChatCompletionsStream
from chaos.protocol.json.lenient import mapping, mappings, number, optional_text, text, whole
from chaos.protocol.pieces import mark
from chaos.protocol.reading import Reading, StreamReader

LEAST_TEXT_PIECES = 4
LEAST_ARGUMENT_PIECES = 2
"""Together with the piece that names the call, three."""

MOST_PIECE_CHARACTERS = 400

CREATED_AT = 1_735_689_600
"""A reply is a function of its answer, so its time is a constant."""

_ROLES: Mapping[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}
_PNG = "data:image/png;base64,"
_REASONS = {finish: reason for reason, finish in FINISHES.items() if reason != "function_call"}


class ChatCompletions:
    """``POST /v1/chat/completions``."""

    name: ClassVar[str] = "chat_completions"

    def write_ask(self, ask: Ask, *, model: str, stream: bool) -> Json:
        """Write a request's JSON body."""
        body: dict[str, Any] = {"model": model, "messages": [_write_turn(t) for t in ask.turns]}
        if stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        if ask.tools:
            body["tools"] = [_write_tool(tool) for tool in ask.tools]
            body["tool_choice"] = _write_tool_choice(ask.tool_choice)
        if ask.response_schema is not None:
            schema = {
                "name": ask.response_schema.name,
                "schema": ask.response_schema.schema,
                "strict": True,
            }
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        plain = {
            "parallel_tool_calls": ask.parallel_tool_calls,
            "max_tokens": ask.max_tokens,
            "temperature": ask.temperature,
        }
        body |= {name: value for name, value in plain.items() if value is not None}
        return body | dict(ask.extra or {})

    def read_ask(self, body: Json) -> Ask:
        """Read a request's JSON body; lenient, because gateways add fields of their own.

        What it does not know stays unread: fields of the wire may hold credentials, and an
        ``Ask`` goes into records.
        """
        max_tokens = whole(body.get("max_tokens"))
        if max_tokens is None:
            max_tokens = whole(body.get("max_completion_tokens"))
        parallel = body.get("parallel_tool_calls")
        return Ask(
            turns=tuple(_read_turn(message) for message in mappings(body.get("messages"))),
            tools=tuple(
                _read_tool(tool)
                for tool in mappings(body.get("tools"))
                if isinstance(tool.get("function"), dict)
            ),
            tool_choice=_read_tool_choice(body.get("tool_choice")),
            parallel_tool_calls=parallel if isinstance(parallel, bool) else None,
            response_schema=_read_response_schema(mapping(body.get("response_format"))),
            max_tokens=max_tokens,
            temperature=number(body.get("temperature")),
        )

    def write_answer(self, answer: Answer, *, model: str, stream: bool) -> tuple[Piece, ...]:
        """Write a good reply; streamed, text comes in at least four pieces and calls in three."""
        own_mark = mark(answer, model)
        calls = tuple(
            replace(call, id=call.id or f"call_{own_mark}{position}")
            for position, call in enumerate(answer.tool_calls)
        )
        answer = replace(answer, tool_calls=calls)
        head = {
            "id": f"chatcmpl-{own_mark}",
            "object": "chat.completion.chunk" if stream else "chat.completion",
            "created": CREATED_AT,
            "model": model,
        }
        if stream:
            return tuple(_stream(answer, head))
        message: dict[str, Any] = {"role": "assistant", "content": answer.text}
        if answer.reasoning:
            message["reasoning"] = answer.reasoning
        if answer.tool_calls:
            message["content"] = answer.text or None
            message["tool_calls"] = [_write_call(call) for call in answer.tool_calls]
        choice = {"index": 0, "message": message, "finish_reason": _reason(answer.finish)}
        # LiteLLM 1.106.2 cannot read a whole reply of Groq's without its tier.
        body = head | {"choices": [choice], "usage": _usage(answer), "service_tier": "default"}
        return (Piece(PieceKind.CONTENT, json.dumps(body).encode()),)

    def write_error_event(self, error: Json) -> bytes:
        """Write a provider's error body as an event inside a stream that began with 200."""
        return _event(error if "error" in error else {"error": error})

    def content_type(self, *, stream: bool) -> str:
        """Name the media type of a reply."""
        return "text/event-stream; charset=utf-8" if stream else "application/json"

    def read_reply(self, status: int, body: bytes) -> Reading:
        """Read a whole reply strictly, good or error; never raises."""
        return read_completion(status, body)

    def stream_reader(self) -> StreamReader:
        """Make a reader for one streamed reply of status 2xx."""
        return ChatCompletionsStream()


def _write_turn(turn: Turn) -> Json:
    if turn.role == "tool":
        return {"role": "tool", "tool_call_id": turn.tool_call_id, "content": turn.text}
    message: dict[str, Any] = {"role": turn.role, "content": turn.text}
    if turn.images:
        message["content"] = [
            {"type": "text", "text": turn.text},
            *({"type": "image_url", "image_url": {"url": _PNG + png}} for png in turn.images),
        ]
    if turn.tool_calls:
        message["content"] = turn.text or None
        message["tool_calls"] = [_write_call(call) for call in turn.tool_calls]
    return message


def _write_call(call: ToolCall) -> Json:
    written = {
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments},
    }
    return written if call.id is None else {"id": call.id, **written}


def _write_tool(tool: ToolSpec) -> Json:
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
    }
    return {"type": "function", "function": function}


def _write_tool_choice(choice: str) -> Any:
    if choice in ("auto", "none", "required"):
        return choice
    return {"type": "function", "function": {"name": choice}}


def _read_turn(message: Json) -> Turn:
    content = message.get("content")
    images: tuple[str, ...] = ()
    said = text(content)
    if isinstance(content, list):
        parts = mappings(content)
        said = "\n".join(text(part["text"]) for part in parts if "text" in part)
        images = tuple(png for part in parts if (png := _read_image(part)) is not None)
    calls = [_read_call(call) for call in mappings(message.get("tool_calls"))]
    if isinstance(message.get("function_call"), dict):
        calls.append(_read_call({"function": message["function_call"]}))
    return Turn(
        role=_ROLES.get(text(message.get("role")), "user"),
        text=said,
        tool_calls=tuple(calls),
        tool_call_id=optional_text(message.get("tool_call_id")),
        images=images,
    )


def _read_image(part: Json) -> str | None:
    url = part.get("image_url")
    url = text(mapping(url).get("url")) if isinstance(url, dict) else text(url)
    head, comma, data = url.partition(",")
    return data if comma and head.startswith("data:") and head.endswith(";base64") else None


def _read_call(call: Json) -> ToolCall:
    function = mapping(call.get("function"))
    arguments = function.get("arguments")
    return ToolCall(
        id=optional_text(call.get("id")),
        name=text(function.get("name")),
        arguments=json.dumps(arguments) if isinstance(arguments, dict) else text(arguments),
    )


def _read_tool(tool: Json) -> ToolSpec:
    function = mapping(tool.get("function"))
    return ToolSpec(
        name=text(function.get("name")),
        description=text(function.get("description")),
        parameters=mapping(function.get("parameters")),
    )


def _read_tool_choice(choice: Any) -> str:
    if isinstance(choice, dict):
        return (
            text(mapping(choice.get("function")).get("name")) or text(choice.get("name")) or "auto"
        )
    return {"any": "required"}.get(text(choice), text(choice)) or "auto"


def _read_response_schema(response_format: Json) -> ResponseSchema | None:
    if response_format.get("type") != "json_schema":
        return None
    told = mapping(response_format.get("json_schema"))
    return ResponseSchema(name=text(told.get("name")), schema=mapping(told.get("schema")))


def _reason(finish: Finish) -> str:
    return _REASONS.get(finish, "other")


def _usage(answer: Answer) -> Json:
    return {
        "prompt_tokens": answer.input_tokens,
        "completion_tokens": answer.output_tokens,
        "total_tokens": answer.input_tokens + answer.output_tokens,
    }


def _stream(answer: Answer, head: Json) -> Iterator[Piece]:
    yield _chunk(PieceKind.START, head, {"role": "assistant", "content": ""})
    for part in split_evenly(answer.reasoning, LEAST_TEXT_PIECES):
        yield _chunk(PieceKind.REASONING, head, {"reasoning": part})
    for part in split_evenly(answer.text, LEAST_TEXT_PIECES):
        yield _chunk(PieceKind.CONTENT, head, {"content": part})
    for index, call in enumerate(answer.tool_calls):
        first = _write_call(ToolCall(call.id, call.name, arguments=""))
        yield _chunk(PieceKind.TOOL_CALL, head, {"tool_calls": [{"index": index, **first}]})
        for part in split_evenly(call.arguments, LEAST_ARGUMENT_PIECES) or ["", ""]:
            fragment = {"index": index, "function": {"arguments": part}}
            yield _chunk(PieceKind.TOOL_CALL, head, {"tool_calls": [fragment]})
    yield _chunk(PieceKind.FINISH, head, {}, _reason(answer.finish))
    yield Piece(PieceKind.FINISH, _event({**head, "choices": [], "usage": _usage(answer)}))
    yield Piece(PieceKind.END, b"data: [DONE]\n\n")


def _chunk(kind: PieceKind, head: Json, delta: Json, reason: str | None = None) -> Piece:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
    return Piece(kind, _event({**head, "choices": [choice]}))


def _event(payload: Json) -> bytes:
    return b"data: " + json.dumps(payload).encode() + b"\n\n"


def split_evenly(whole_text: str, at_least: int) -> list[str]:
    """Cut a text into pieces of about one length; too short a text leaves the last ones empty.

    So a stream has as many events as promised, whatever its text; no text makes no pieces.
    """
    if not whole_text:
        return []
    pieces = max(at_least, -(-len(whole_text) // MOST_PIECE_CHARACTERS))
    size, longer = divmod(len(whole_text), pieces)
    cuts = [0]
    for piece in range(pieces):
        cuts.append(cuts[-1] + size + (piece < longer))
    return [whole_text[start:end] for start, end in pairwise(cuts)]
