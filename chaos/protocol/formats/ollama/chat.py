"""Ollama's ``POST /api/chat``: turns in, one object out, or one a line.

A tool call comes whole, in one line, without an id. The API has no word for ``tool_choice`` or
``parallel_tool_calls``: LiteLLM leaves them out.

Source: github.com/ollama/ollama, docs/api.md; requests as LiteLLM 1.106.2 sends them for
``ollama_chat/…`` (with ``Content-Type: application/octet-stream``).
"""

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
from chaos.protocol.formats.ollama.reply import OllamaStreamReader, read_ollama_reply
from chaos.protocol.json.lenient import (
    as_json_text,
    as_object,
    mapping,
    mappings,
    number,
    optional_text,
    text,
    whole,
)
from chaos.protocol.json_lines import LINES
from chaos.protocol.pieces import CALL_PIECES, TEXT_PIECES, slices
from chaos.protocol.reading import Reading, StreamReader

CREATED_AT = "2025-01-01T00:00:00.000000Z"
"""A reply is a function of its answer, so its time is a constant."""

DONE_REASONS = {
    Finish.STOP: "stop",
    Finish.TOOL_CALLS: "stop",
    Finish.LENGTH: "length",
    Finish.CONTENT_FILTER: "content_filter",
    Finish.OTHER: "other",
}
NO_PLACE = frozenset({"tool_choice", "parallel_tool_calls"})

_ROLES: dict[str, Role] = {
    "system": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
}


class OllamaChat:
    """Ollama's chat."""

    name: ClassVar[str] = "ollama_chat"

    def write_ask(self, ask: Ask, *, model: str, stream: bool) -> Json:
        """Write a request's JSON body."""
        body: dict[str, Any] = {
            "model": model,
            "messages": [_write_turn(turn) for turn in ask.turns],
            "options": write_options(ask),
            "stream": stream,
        }
        if ask.tools:
            body["tools"] = [_write_tool(tool) for tool in ask.tools]
        if ask.response_schema is not None:
            body["format"] = ask.response_schema.schema
        return {**body, **(ask.extra or {})}

    def read_ask(self, body: Json) -> Ask:
        """Read a request's JSON body; lenient, because gateways add fields of their own."""
        options = mapping(body.get("options"))
        return Ask(
            turns=tuple(_read_turn(message) for message in mappings(body.get("messages"))),
            tools=tuple(read_tool(tool) for tool in mappings(body.get("tools"))),
            response_schema=read_schema(body),
            max_tokens=whole(options.get("num_predict")),
            temperature=number(options.get("temperature")),
            lacks=NO_PLACE,
        )

    def write_answer(self, answer: Answer, *, model: str, stream: bool) -> tuple[Piece, ...]:
        """Write a good reply.

        A tool call comes in one line. Its bytes are cut in three pieces nevertheless, so that a
        fault finds a place to break off in the middle of a call; where no text comes before it, a
        line without output does.
        """
        calls = [_write_call(call) for call in answer.tool_calls]
        if not stream:
            message: dict[str, Any] = {"role": "assistant", "content": answer.text}
            if answer.reasoning:
                message["thinking"] = answer.reasoning
            if calls:
                message["tool_calls"] = calls
            body = {**_head(model), "message": message, **write_end(answer)}
            return (Piece(PieceKind.CONTENT, as_json_text(body).encode()),)
        pieces = [
            Piece(PieceKind.REASONING, _line(model, {"content": "", "thinking": part}))
            for part in slices(answer.reasoning, TEXT_PIECES)
        ]
        pieces += [
            Piece(PieceKind.CONTENT, _line(model, {"content": part}))
            for part in slices(answer.text, TEXT_PIECES)
        ]
        if calls and not answer.text:
            pieces.append(Piece(PieceKind.CONTENT, _line(model, {"content": ""})))
        for call in calls:
            line = _line(model, {"content": "", "tool_calls": [call]})
            size = -(-len(line) // CALL_PIECES)
            parted = [line[start : start + size] for start in range(0, len(line), size)]
            pieces += [Piece(PieceKind.TOOL_CALL, data) for data in parted]
        end = {
            **_head(model),
            "message": {"role": "assistant", "content": ""},
            **write_end(answer),
        }
        pieces.append(Piece(PieceKind.FINISH, as_line(end)))
        return tuple(pieces)

    def write_error_event(self, error: Json) -> bytes:
        """Write a provider's error body as a line inside a stream that began with 200."""
        return as_line(error)

    def content_type(self, *, stream: bool) -> str:
        """Name the media type of a reply."""
        return media_type(stream=stream)

    def read_reply(self, status: int, body: bytes) -> Reading:
        """Read a whole reply strictly, good or error; never raises."""
        return read_ollama_reply("message", status, body)

    def stream_reader(self) -> StreamReader:
        """Make a reader for one streamed reply of status 2xx."""
        return OllamaStreamReader("message")


def media_type(*, stream: bool) -> str:
    """Name the media type of every reply of Ollama's."""
    return LINES if stream else "application/json; charset=utf-8"


def as_line(payload: Json) -> bytes:
    """Write one line of a stream."""
    return f"{as_json_text(payload)}\n".encode(errors="replace")


def write_end(answer: Answer) -> Json:
    """Write what ends a reply: why it did, and what it used."""
    return {
        "done": True,
        "done_reason": DONE_REASONS[answer.finish],
        "prompt_eval_count": answer.input_tokens,
        "eval_count": answer.output_tokens,
    }


def write_options(ask: Ask) -> Json:
    """Write the limits of a request, where Ollama has them."""
    options = {"num_predict": ask.max_tokens, "temperature": ask.temperature}
    return {name: value for name, value in options.items() if value is not None}


def read_tool(tool: Json) -> ToolSpec:
    """Read one tool, which is written as OpenAI writes it."""
    function = mapping(tool.get("function"))
    return ToolSpec(
        text(function.get("name")),
        text(function.get("description")),
        mapping(function.get("parameters")),
    )


def read_schema(body: Json) -> ResponseSchema | None:
    """Read the schema for the answer; ``json`` asks for any object, and is none."""
    schema = body.get("format")
    return ResponseSchema("answer", schema) if isinstance(schema, dict) else None


def _head(model: str) -> Json:
    return {"model": model, "created_at": CREATED_AT}


def _line(model: str, said: Json) -> bytes:
    return as_line({**_head(model), "message": {"role": "assistant", **said}, "done": False})


def _write_call(call: ToolCall) -> Json:
    return {"function": {"name": call.name, "arguments": as_object(call.arguments)}}


def _write_tool(tool: ToolSpec) -> Json:
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
    }
    return {"type": "function", "function": function}


def _write_turn(turn: Turn) -> Json:
    message: dict[str, Any] = {"role": turn.role, "content": turn.text}
    if turn.images:
        message["images"] = list(turn.images)
    if turn.tool_calls:
        message["tool_calls"] = [_write_call(call) for call in turn.tool_calls]
    if turn.tool_call_id is not None:
        message["tool_call_id"] = turn.tool_call_id
    return message


def _read_turn(message: Json) -> Turn:
    images = message.get("images")
    calls = [mapping(call.get("function")) for call in mappings(message.get("tool_calls"))]
    return Turn(
        role=_ROLES.get(text(message.get("role")), "user"),
        text=text(message.get("content")),
        tool_calls=tuple(
            ToolCall(None, text(call.get("name")), as_json_text(mapping(call.get("arguments"))))
            for call in calls
        ),
        tool_call_id=optional_text(message.get("tool_call_id")),
        images=tuple(png for png in images if isinstance(png, str))
        if isinstance(images, list)
        else (),
    )
