"""Gemini's ``POST …/models/M:generateContent`` and ``…:streamGenerateContent?alt=sse``.

The model and whether to stream are in the path, not in the body. A stream has neither a first
nor a closing event of its own: it ends after the chunk that carries ``finishReason``. A tool call
is never fragmented, and has no id unless somebody gives it one.

Source: Google's API reference, ``GenerateContentRequest`` (v1beta); requests as LiteLLM 1.106.2
sends them, in a mixture of ``camelCase`` and ``snake_case`` that the API allows.
"""

from typing import Any, ClassVar

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
from chaos.protocol.formats.generate_content.reply import (
    GenerateContentStreamReader,
    read_generate_content_reply,
)
from chaos.protocol.json.lenient import (
    as_json_text,
    as_object,
    either,
    mapping,
    mappings,
    number,
    optional_text,
    text,
    whole,
)
from chaos.protocol.pieces import CALL_PIECES, TEXT_PIECES, mark, slices
from chaos.protocol.reading import Reading, StreamReader

_FINISH_REASONS = {
    Finish.STOP: "STOP",
    Finish.TOOL_CALLS: "STOP",
    Finish.LENGTH: "MAX_TOKENS",
    Finish.CONTENT_FILTER: "SAFETY",
    Finish.OTHER: "OTHER",
}
_NOT_IN_SCHEMA = frozenset(
    {
        "multipleOf",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "uniqueItems",
        "const",
        "format",  # it has a few
        "enum",  # of strings alone
        "type",  # none may be left out
    }
)
"""Words of JSON schema that Google's own ``Schema`` lacks, or has only in part."""
_MODES = {"auto": "AUTO", "none": "NONE", "required": "ANY"}


class GenerateContent:
    """Gemini's generateContent."""

    name: ClassVar[str] = "generate_content"

    def write_ask(self, ask: Ask, *, model: str, stream: bool) -> Json:  # noqa: ARG002 -- in the path
        """Write a request's JSON body."""
        body: dict[str, Any] = {"contents": _write_turns(ask.turns)}
        system = [{"text": turn.text} for turn in ask.turns if turn.role == "system"]
        if system:
            body["systemInstruction"] = {"parts": system}
        if ask.tools:
            declared = [
                {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
                for tool in ask.tools
            ]
            body["tools"] = [{"functionDeclarations": declared}]
            body["toolConfig"] = {"functionCallingConfig": _write_choice(ask.tool_choice)}
        settings: dict[str, Any] = {
            "maxOutputTokens": ask.max_tokens,
            "temperature": ask.temperature,
        }
        if ask.response_schema is not None:
            settings["responseMimeType"] = "application/json"
            settings["responseJsonSchema"] = ask.response_schema.schema
        given = {name: value for name, value in settings.items() if value is not None}
        if given:
            body["generationConfig"] = given
        return {**body, **(ask.extra or {})}

    def read_ask(self, body: Json) -> Ask:
        """Read a request's JSON body; lenient, because gateways add fields of their own."""
        system = mappings(mapping(either(body, "systemInstruction")).get("parts"))
        turns = [Turn("system", text(part.get("text"))) for part in system]
        for content in mappings(body.get("contents")):
            turns += _read_turns(content)
        settings = mapping(either(body, "generationConfig"))
        return Ask(
            turns=tuple(turns),
            tools=_read_tools(body),
            tool_choice=_read_choice(body),
            response_schema=_read_schema(settings),
            max_tokens=whole(either(settings, "maxOutputTokens")),
            temperature=number(settings.get("temperature")),
        )

    def write_answer(self, answer: Answer, *, model: str, stream: bool) -> tuple[Piece, ...]:
        """Write a good reply.

        A tool call comes in one event. Its bytes are cut in three pieces nevertheless, so that
        a fault finds a place to break off in the middle of a call. Where no text comes before
        it, an event without output does, as Gemini sends them now and then: after that one there
        is a boundary, where a fault can put an event of its own.
        """
        writer = _Writer(answer, model)
        calls = [_call_part(call) for call in answer.tool_calls]
        if not stream:
            parts = [{"text": answer.reasoning, "thought": True}] if answer.reasoning else []
            parts += [{"text": answer.text}] if answer.text else []
            body = writer.chunk([*parts, *calls], last=True)
            return (Piece(PieceKind.CONTENT, as_json_text(body).encode()),)
        pieces = [
            Piece(PieceKind.REASONING, _event(writer.chunk([{"text": part, "thought": True}])))
            for part in slices(answer.reasoning, TEXT_PIECES)
        ]
        pieces += [
            Piece(PieceKind.CONTENT, _event(writer.chunk([{"text": part}])))
            for part in slices(answer.text, TEXT_PIECES)
        ]
        if calls and not answer.text:
            pieces.append(Piece(PieceKind.CONTENT, _event(writer.chunk([{"text": ""}]))))
        for call in calls:
            event = _event(writer.chunk([call]))
            size = -(-len(event) // CALL_PIECES)
            parted = [event[start : start + size] for start in range(0, len(event), size)]
            pieces += [Piece(PieceKind.TOOL_CALL, data) for data in parted]
        pieces.append(Piece(PieceKind.FINISH, _event(writer.chunk([{"text": ""}], last=True))))
        return tuple(pieces)

    def write_error_event(self, error: Json) -> bytes:
        """Write a provider's error body as an event inside a stream that began with 200."""
        return _event(error)

    def content_type(self, *, stream: bool) -> str:
        """Name the media type of a reply."""
        return "text/event-stream" if stream else "application/json; charset=UTF-8"

    def read_reply(self, status: int, body: bytes) -> Reading:
        """Read a whole reply strictly, good or error; never raises."""
        return read_generate_content_reply(status, body)

    def stream_reader(self) -> StreamReader:
        """Make a reader for one streamed reply of status 2xx."""
        return GenerateContentStreamReader()


class _Writer:
    """Writes the chunks of one answer, which share an id."""

    def __init__(self, answer: Answer, model: str) -> None:
        self._answer = answer
        self._model = model
        self._id = mark(answer, model)

    def chunk(self, parts: list[Any], *, last: bool = False) -> Json:
        """Write one chunk; the last one says why the answer ended, and what it used."""
        candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
        usage = {"promptTokenCount": self._answer.input_tokens}
        if last:
            candidate["finishReason"] = _FINISH_REASONS[self._answer.finish]
            usage["candidatesTokenCount"] = self._answer.output_tokens
        usage["totalTokenCount"] = sum(usage.values())
        return {
            "candidates": [candidate],
            "usageMetadata": usage,
            "modelVersion": self._model,
            "responseId": self._id,
        }


def _event(payload: Json) -> bytes:
    return f"data: {as_json_text(payload)}\r\n\r\n".encode()


def _call_part(call: ToolCall) -> Json:
    told: dict[str, Any] = {"name": call.name, "args": as_object(call.arguments)}
    if call.id is not None:
        told["id"] = call.id
    return {"functionCall": told}


def _write_turns(turns: tuple[Turn, ...]) -> list[Json]:
    names = {call.id: call.name for turn in turns for call in turn.tool_calls}
    contents: list[Json] = []
    for turn in turns:
        if turn.role == "system":
            continue
        parts: list[Json] = []
        if turn.role == "tool":
            told = {
                "id": turn.tool_call_id or "",
                "name": names.get(turn.tool_call_id) or turn.tool_call_id or "",
                "response": {"content": turn.text},
            }
            parts.append({"functionResponse": told})
        else:
            parts += [{"inlineData": {"mimeType": "image/png", "data": png}} for png in turn.images]
            if turn.text:
                parts.append({"text": turn.text})
            parts += [_call_part(call) for call in turn.tool_calls]
        contents.append({"role": "model" if turn.role == "assistant" else "user", "parts": parts})
    return contents


def _read_turns(content: Json) -> list[Turn]:
    """Read one content; LiteLLM may send the system's text and the user's in one."""
    turns: list[Turn] = []
    said: list[str] = []
    calls: list[ToolCall] = []
    images: list[str] = []
    for part in mappings(content.get("parts")):
        call, response = either(part, "functionCall"), either(part, "functionResponse")
        if isinstance(response, dict):
            told = mapping(response.get("response"))
            result = told.get("content", told.get("result"))
            words = result if isinstance(result, str) else as_json_text(told)
            turns.append(Turn("tool", words, tool_call_id=_call_id(response)))
        elif isinstance(call, dict):
            arguments = as_json_text(mapping(call.get("args")))
            calls.append(ToolCall(_call_id(call), text(call.get("name")), arguments))
        elif "text" in part:
            said.append(text(part["text"]))
        elif png := text(mapping(either(part, "inlineData")).get("data")):
            images.append(png)
    if content.get("role") == "model":
        return [*turns, Turn("assistant", "\n".join(said), tool_calls=tuple(calls))]
    if said or images or not turns:
        turns.append(Turn("user", "\n".join(said), images=tuple(images)))
    return turns


def _call_id(call: Json) -> str | None:
    """Tell which call it is: calls without an id are paired by their function's name."""
    return optional_text(call.get("id")) or optional_text(call.get("name"))


def _read_tools(body: Json) -> tuple[ToolSpec, ...]:
    declared = [
        spec
        for tool in mappings(body.get("tools"))
        for spec in mappings(either(tool, "functionDeclarations"))
    ]
    return tuple(
        ToolSpec(
            text(spec.get("name")),
            text(spec.get("description")),
            mapping(spec.get("parameters") or either(spec, "parametersJsonSchema")),
            _NOT_IN_SCHEMA if spec.get("parameters") else frozenset(),
        )
        for spec in declared
    )


def _write_choice(choice: str) -> Json:
    if choice in _MODES:
        return {"mode": _MODES[choice]}
    return {"mode": "ANY", "allowedFunctionNames": [choice]}


def _read_choice(body: Json) -> str:
    config = mapping(either(mapping(either(body, "toolConfig")), "functionCallingConfig"))
    allowed = either(config, "allowedFunctionNames")
    if isinstance(allowed, list) and len(allowed) == 1 and isinstance(allowed[0], str):
        return allowed[0]
    ours = {theirs: name for name, theirs in _MODES.items()}
    return ours.get(text(config.get("mode")).upper(), "auto")


def _read_schema(settings: Json) -> ResponseSchema | None:
    # The API has no name for a schema.
    if isinstance(schema := either(settings, "responseJsonSchema"), dict):
        return ResponseSchema("answer", schema)
    if isinstance(schema := either(settings, "responseSchema"), dict):
        return ResponseSchema("answer", schema, _NOT_IN_SCHEMA)
    return None
