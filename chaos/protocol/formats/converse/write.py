"""Amazon Bedrock's Converse API: ``POST /model/M/converse`` and ``…/converse-stream``.

The model and whether to stream are in the path, not in the body. A streamed reply is framed by
``event_stream``; its reader is ``converse_stream``.

Source: botocore 1.44.5, service model ``bedrock-runtime``; requests as LiteLLM 1.106.2 sends
them, and replies as it reads them.
"""

from typing import Any, ClassVar

from chaos.protocol.aws_event_stream import CONTENT_TYPE, write_message
from chaos.protocol.conversation import (
    Answer,
    Ask,
    Finish,
    Json,
    ResponseSchema,
    ToolCall,
    ToolSpec,
    Turn,
)
from chaos.protocol.format import Piece, PieceKind
from chaos.protocol.formats.converse.reply import read_converse_reply
from chaos.protocol.formats.converse.stream import ConverseStreamReader
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
from chaos.protocol.pieces import CALL_PIECES, TEXT_PIECES, mark, slices
from chaos.protocol.reading import Reading, StreamReader

_STOP_REASONS = {
    Finish.STOP: "end_turn",
    Finish.TOOL_CALLS: "tool_use",
    Finish.LENGTH: "max_tokens",
    Finish.CONTENT_FILTER: "guardrail_intervened",
    Finish.OTHER: "malformed_model_output",
}
_EXCEPTIONS = (
    ("too many", "throttlingException"),
    ("rate is too high", "throttlingException"),
    ("unavailable", "serviceUnavailableException"),
    ("unable to process", "serviceUnavailableException"),
    ("too long", "validationException"),
    ("quota", "validationException"),
)
"""Which exception of a stream says what an error body says: the body itself names no type."""


class Converse:
    """Amazon Bedrock's Converse API."""

    name: ClassVar[str] = "converse"

    def write_ask(self, ask: Ask, *, model: str, stream: bool) -> Json:  # noqa: ARG002 -- in the path
        """Write a request's JSON body."""
        body: dict[str, Any] = {"messages": _write_turns(ask.turns)}
        system = [{"text": turn.text} for turn in ask.turns if turn.role == "system"]
        if system:
            body["system"] = system
        limits = {"maxTokens": ask.max_tokens, "temperature": ask.temperature}
        given = {name: value for name, value in limits.items() if value is not None}
        if given:
            body["inferenceConfig"] = given
        if ask.tools:
            body["toolConfig"] = _write_tools(ask)
        if ask.response_schema is not None:
            schema = {
                "name": ask.response_schema.name,
                "schema": as_json_text(ask.response_schema.schema),
            }
            body["outputConfig"] = {
                "textFormat": {"type": "json_schema", "structure": {"jsonSchema": schema}}
            }
        return {**body, **(ask.extra or {})}

    def read_ask(self, body: Json) -> Ask:
        """Read a request's JSON body; lenient, because gateways add fields of their own."""
        turns = [Turn("system", text(part.get("text"))) for part in mappings(body.get("system"))]
        for message in mappings(body.get("messages")):
            turns += _read_turns(message)
        limits = mapping(body.get("inferenceConfig"))
        tools = mapping(body.get("toolConfig"))
        specs = [mapping(tool.get("toolSpec")) for tool in mappings(tools.get("tools"))]
        return Ask(
            turns=tuple(turns),
            tools=tuple(
                ToolSpec(
                    text(spec.get("name")),
                    text(spec.get("description")),
                    mapping(mapping(spec.get("inputSchema")).get("json")),
                )
                for spec in specs
                if spec
            ),
            tool_choice=_read_choice(mapping(tools.get("toolChoice"))),
            response_schema=_read_schema(body),
            max_tokens=whole(limits.get("maxTokens")),
            temperature=number(limits.get("temperature")),
        )

    def write_answer(self, answer: Answer, *, model: str, stream: bool) -> tuple[Piece, ...]:
        """Write a good reply."""
        usage = {
            "inputTokens": answer.input_tokens,
            "outputTokens": answer.output_tokens,
            "totalTokens": answer.input_tokens + answer.output_tokens,
        }
        ending = {"usage": usage, "metrics": {"latencyMs": 120}}
        prefix = f"tooluse_{mark(answer, model)[:16]}"
        calls = [
            ToolCall(call.id or f"{prefix}{position}", call.name, call.arguments)
            for position, call in enumerate(answer.tool_calls)
        ]
        if not stream:
            body = {
                "output": {"message": {"role": "assistant", "content": _content(answer, calls)}},
                "stopReason": _STOP_REASONS[answer.finish],
                **ending,
            }
            return (Piece(PieceKind.CONTENT, as_json_text(body).encode()),)
        return (
            _event(PieceKind.START, "messageStart", {"role": "assistant"}),
            *_blocks(answer, calls),
            _event(PieceKind.FINISH, "messageStop", {"stopReason": _STOP_REASONS[answer.finish]}),
            _event(PieceKind.END, "metadata", ending),
        )

    def write_error_event(self, error: Json) -> bytes:
        """Write an error body as an exception frame.

        Shape:
            error: {"message": str}; the kind of exception is guessed from the message, because
            outside a stream a header tells it.
        """
        message = text(error.get("message"))
        named = (name for words, name in _EXCEPTIONS if words in message.lower())
        headers = {
            ":exception-type": next(named, "internalServerException"),
            ":content-type": "application/json",
            ":message-type": "exception",
        }
        return write_message(headers, as_json_text({"message": message}).encode())

    def content_type(self, *, stream: bool) -> str:
        """Name the media type of a reply."""
        return CONTENT_TYPE if stream else "application/json"

    def read_reply(self, status: int, body: bytes) -> Reading:
        """Read a whole reply strictly, good or error; never raises."""
        return read_converse_reply(status, body)

    def stream_reader(self) -> StreamReader:
        """Make a reader for one streamed reply of status 2xx."""
        return ConverseStreamReader()


def _event(kind: PieceKind, name: str, payload: Json) -> Piece:
    headers = {
        ":event-type": name,
        ":content-type": "application/json",
        ":message-type": "event",
    }
    return Piece(kind, write_message(headers, as_json_text(payload).encode()))


def _content(answer: Answer, calls: list[ToolCall]) -> list[Json]:
    blocks: list[Json] = []
    if answer.reasoning:
        blocks.append({"reasoningContent": {"reasoningText": {"text": answer.reasoning}}})
    if answer.text:
        blocks.append({"text": answer.text})
    blocks += [
        {"toolUse": {"toolUseId": c.id, "name": c.name, "input": as_object(c.arguments)}}
        for c in calls
    ]
    return blocks


def _blocks(answer: Answer, calls: list[ToolCall]) -> list[Piece]:
    pieces: list[Piece] = []
    index = 0
    for kind, whole_text in (
        (PieceKind.REASONING, answer.reasoning),
        (PieceKind.CONTENT, answer.text),
    ):
        if not whole_text:
            continue
        for part in slices(whole_text, TEXT_PIECES):
            delta = {"text": part}
            told = {"reasoningContent": delta} if kind is PieceKind.REASONING else delta
            payload = {"contentBlockIndex": index, "delta": told}
            pieces.append(_event(kind, "contentBlockDelta", payload))
        pieces.append(_event(kind, "contentBlockStop", {"contentBlockIndex": index}))
        index += 1
    kind = PieceKind.TOOL_CALL
    for call in calls:
        start = {"toolUse": {"toolUseId": call.id, "name": call.name}}
        begun = {"contentBlockIndex": index, "start": start}
        pieces.append(_event(kind, "contentBlockStart", begun))
        for part in slices(call.arguments, CALL_PIECES):
            more = {"contentBlockIndex": index, "delta": {"toolUse": {"input": part}}}
            pieces.append(_event(kind, "contentBlockDelta", more))
        pieces.append(_event(kind, "contentBlockStop", {"contentBlockIndex": index}))
        index += 1
    return pieces


def _write_turns(turns: tuple[Turn, ...]) -> list[Json]:
    """Write the turns; the API wants user and assistant to alternate."""
    messages: list[dict[str, Any]] = []
    for turn in turns:
        if turn.role == "system":
            continue
        role = "assistant" if turn.role == "assistant" else "user"
        if not messages or messages[-1]["role"] != role:
            messages.append({"role": role, "content": []})
        messages[-1]["content"] += _write_turn(turn)
    return list(messages)


def _write_turn(turn: Turn) -> list[Json]:
    if turn.role == "tool":
        result = {"toolUseId": turn.tool_call_id or "", "content": [{"text": turn.text}]}
        return [{"toolResult": result}]
    blocks: list[Json] = [
        {"image": {"format": "png", "source": {"bytes": png}}} for png in turn.images
    ]
    if turn.text:
        blocks.append({"text": turn.text})
    blocks += [
        {"toolUse": {"toolUseId": c.id or "", "name": c.name, "input": as_object(c.arguments)}}
        for c in turn.tool_calls
    ]
    return blocks


def _read_turns(message: Json) -> list[Turn]:
    blocks = mappings(message.get("content"))
    turns = []
    for block in blocks:
        if isinstance(result := block.get("toolResult"), dict):
            parts = mappings(result.get("content"))
            told = [
                as_json_text(part["json"]) if "json" in part else text(part.get("text"))
                for part in parts
            ]
            call_id = optional_text(result.get("toolUseId"))
            turns.append(Turn("tool", "\n".join(told), tool_call_id=call_id))
    said = "\n".join(text(block["text"]) for block in blocks if "text" in block)
    uses = [mapping(block["toolUse"]) for block in blocks if "toolUse" in block]
    calls = tuple(
        ToolCall(
            optional_text(use.get("toolUseId")),
            text(use.get("name")),
            as_json_text(use.get("input", {})),
        )
        for use in uses
    )
    images = tuple(
        text(mapping(mapping(block["image"]).get("source")).get("bytes"))
        for block in blocks
        if "image" in block
    )
    if message.get("role") == "assistant":
        return [*turns, Turn("assistant", said, tool_calls=calls)]
    if said or images or not turns:
        turns.append(Turn("user", said, images=images))
    return turns


def _write_tools(ask: Ask) -> Json:
    tools = [
        {
            "toolSpec": {
                "name": tool.name,
                "description": tool.description,
                "inputSchema": {"json": dict(tool.parameters)},
            }
        }
        for tool in ask.tools
    ]
    # There is no way to say "none" here: the tools stay, and the choice is the model's.
    if ask.tool_choice in {"auto", "none"}:
        return {"tools": tools, "toolChoice": {"auto": {}}}
    if ask.tool_choice == "required":
        return {"tools": tools, "toolChoice": {"any": {}}}
    return {"tools": tools, "toolChoice": {"tool": {"name": ask.tool_choice}}}


def _read_choice(choice: Json) -> str:
    if "any" in choice:
        return "required"
    return text(mapping(choice.get("tool")).get("name")) or "auto"


def _read_schema(body: Json) -> ResponseSchema | None:
    form = mapping(mapping(body.get("outputConfig")).get("textFormat"))
    told = mapping(mapping(form.get("structure")).get("jsonSchema"))
    if not told:
        return None
    return ResponseSchema(text(told.get("name")) or "answer", as_object(text(told.get("schema"))))
