"""Write and read requests of Anthropic's Messages API."""

from collections.abc import Iterator
from typing import Any

from chaos.protocol.conversation import Ask, Json, ResponseSchema, Role, ToolCall, ToolSpec, Turn
from chaos.protocol.json.lenient import mapping, mappings, number, text, whole
from chaos.protocol.json.strict import compact, parse

DEFAULT_MAX_TOKENS = 512
"""``max_tokens`` is mandatory on this API; this is what we send where an ask names none."""

_TOOL_CHOICES = {"auto": "auto", "any": "required", "none": "none"}


def write_messages_ask(ask: Ask, *, model: str, stream: bool) -> Json:
    """Write a request's JSON body.

    Structured output goes into ``output_config.format``: Anthropic's current form, which
    LiteLLM 1.106.2 sends on as it is to Anthropic and translates into ``response_format`` or
    ``text.format`` for other providers; ``output_format`` is the older beta spelling.
    """
    body: dict[str, Any] = {
        "model": model,
        "max_tokens": DEFAULT_MAX_TOKENS if ask.max_tokens is None else ask.max_tokens,
        "messages": _write_turns(ask.turns),
        "stream": stream,
    }
    system = [turn.text for turn in ask.turns if turn.role == "system"]
    if system:
        body["system"] = system[0] if len(system) == 1 else [text_block(text) for text in system]
    if ask.temperature is not None:
        body["temperature"] = ask.temperature
    if ask.tools:
        body["tools"] = [
            {
                "name": tool.name,
                "description": tool.description,
                "input_schema": dict(tool.parameters),
            }
            for tool in ask.tools
        ]
        choice = _write_tool_choice(ask)
        if choice is not None:
            body["tool_choice"] = choice
    if ask.response_schema is not None:
        body["output_config"] = {
            "format": {"type": "json_schema", "schema": dict(ask.response_schema.schema)}
        }
    return {**body, **(ask.extra or {})}


def read_messages_ask(body: Json) -> Ask:
    """Read a request's JSON body; lenient, because gateways add fields of their own."""
    turns = [Turn("system", text=text) for text in _texts(body.get("system"))]
    for message in mappings(body.get("messages")):
        turns.extend(_read_message(message))
    choice, parallel = _read_tool_choice(body.get("tool_choice"))
    return Ask(
        turns=tuple(turns),
        tools=tuple(
            ToolSpec(
                text(tool.get("name")),
                text(tool.get("description")),
                mapping(tool.get("input_schema")),
            )
            for tool in mappings(body.get("tools"))
        ),
        tool_choice=choice,
        parallel_tool_calls=parallel,
        response_schema=_read_response_schema(body),
        max_tokens=whole(body.get("max_tokens")),
        temperature=number(body.get("temperature")),
    )


def text_block(text: str) -> Json:
    """Write a block of text."""
    return {"type": "text", "text": text}


def _write_turns(turns: tuple[Turn, ...]) -> list[Json]:
    messages: list[dict[str, Any]] = []
    previous: Role | None = None
    for turn in turns:
        if turn.role == "system":
            continue
        if turn.role == "tool":
            result = {
                "type": "tool_result",
                "tool_use_id": turn.tool_call_id or "",
                "content": turn.text,
            }
            # The API wants all results of one assistant turn in the one turn after it.
            if previous == "tool":
                messages[-1]["content"].append(result)
            else:
                messages.append({"role": "user", "content": [result]})
        else:
            messages.append({"role": turn.role, "content": _write_content(turn)})
        previous = turn.role
    return list(messages)


def _write_content(turn: Turn) -> str | list[Json]:
    blocks: list[Json] = [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": png}}
        for png in turn.images
    ]
    if not blocks and not turn.tool_calls:
        return turn.text
    if turn.text:  # the API refuses empty text blocks
        blocks.append(text_block(turn.text))
    blocks.extend(
        {
            "type": "tool_use",
            "id": call.id or "",
            "name": call.name,
            "input": input_of(call.arguments),
        }
        for call in turn.tool_calls
    )
    return blocks


def _write_tool_choice(ask: Ask) -> Json | None:
    """Write the choice; None where saying nothing means the same."""
    named = {ours: theirs for theirs, ours in _TOOL_CHOICES.items()}
    choice: dict[str, Any] = (
        {"type": named[ask.tool_choice]}
        if ask.tool_choice in named
        else {"type": "tool", "name": ask.tool_choice}
    )
    if ask.parallel_tool_calls is not None and ask.tool_choice != "none":
        choice["disable_parallel_tool_use"] = not ask.parallel_tool_calls
    return None if choice == {"type": "auto"} else choice


def _read_tool_choice(value: object) -> tuple[str, bool | None]:
    choice = mapping(value)
    disabled = choice.get("disable_parallel_tool_use")
    parallel = None if not isinstance(disabled, bool) else not disabled
    name = choice.get("name")
    if choice.get("type") == "tool" and isinstance(name, str):
        return name, parallel
    return _TOOL_CHOICES.get(str(choice.get("type")), "auto"), parallel


def _read_message(message: Json) -> Iterator[Turn]:
    content = message.get("content")
    blocks = mappings(content)
    told = "\n".join(_texts(content))
    if message.get("role") == "assistant":
        calls = [
            ToolCall(
                _optional(block.get("id")), str(block.get("name", "")), compact(block["input"])
            )
            for block in blocks
            if block.get("type") == "tool_use" and "input" in block
        ]
        yield Turn("assistant", text=told, tool_calls=tuple(calls))
        return
    results = [block for block in blocks if block.get("type") == "tool_result"]
    for result in results:
        answer = "\n".join(_texts(result.get("content")))
        yield Turn("tool", text=answer, tool_call_id=_optional(result.get("tool_use_id")))
    sources = [mapping(block.get("source")) for block in blocks if block.get("type") == "image"]
    images = tuple(text(source.get("data")) for source in sources)
    if told or images or not results:
        # Newer clients put ``system`` turns between the others.
        role: Role = "system" if message.get("role") == "system" else "user"
        yield Turn(role, text=told, images=images)


def _read_response_schema(body: Json) -> ResponseSchema | None:
    told = mapping(body.get("output_config")).get("format", body.get("output_format"))
    schema = mapping(told).get("schema")
    # The API has no name for a schema.
    return ResponseSchema("response", schema) if isinstance(schema, dict) else None


def _texts(content: object) -> list[str]:
    if isinstance(content, str):
        return [content]
    return [text(block.get("text")) for block in mappings(content) if block.get("type") == "text"]


def _optional(value: object) -> str | None:
    return text(value) or None


def input_of(arguments: str) -> Json:
    """Make a call's arguments an object, as the API wants them."""
    return mapping(parse(arguments)[1])
