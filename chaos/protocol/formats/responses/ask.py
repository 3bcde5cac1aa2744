"""Write and read requests of OpenAI's Responses API."""

from typing import Any

from chaos.protocol.conversation import Ask, Json, ResponseSchema, Role, ToolCall, ToolSpec, Turn
from chaos.protocol.json.lenient import mapping, mappings, number, optional_text, text, whole

_PNG = "data:image/png;base64,"
_CHOICES = frozenset({"auto", "none", "required"})
_ROLES: dict[str, Role] = {"assistant": "assistant", "system": "system", "developer": "system"}


def write_responses_ask(ask: Ask, *, model: str, stream: bool) -> Json:
    """Write a request's JSON body."""
    body: dict[str, Any] = {"model": model, "input": _write_turns(ask.turns), "stream": stream}
    system = [turn.text for turn in ask.turns if turn.role == "system"]
    if system:
        body["instructions"] = "\n\n".join(system)
    if ask.max_tokens is not None:
        body["max_output_tokens"] = ask.max_tokens
    if ask.temperature is not None:
        body["temperature"] = ask.temperature
    if ask.tools:
        body["tools"] = [
            {
                "type": "function",
                "name": tool.name,
                "description": tool.description,
                "parameters": dict(tool.parameters),
            }
            for tool in ask.tools
        ]
        body["tool_choice"] = (
            ask.tool_choice
            if ask.tool_choice in _CHOICES
            else {"type": "function", "name": ask.tool_choice}
        )
        if ask.parallel_tool_calls is not None:
            body["parallel_tool_calls"] = ask.parallel_tool_calls
    if ask.response_schema is not None:
        body["text"] = {
            "format": {
                "type": "json_schema",
                "name": ask.response_schema.name,
                "schema": dict(ask.response_schema.schema),
                "strict": True,
            }
        }
    return {**body, **(ask.extra or {})}


def read_responses_ask(body: Json) -> Ask:
    """Read a request's JSON body; lenient, because gateways add fields of their own."""
    turns: list[Turn] = []
    if text(body.get("instructions")):
        turns.append(Turn("system", text=text(body["instructions"])))
    if isinstance(body.get("input"), str):
        turns.append(Turn("user", text=text(body["input"])))
    for item in mappings(body.get("input")):
        _read_item(item, turns)
    parallel = body.get("parallel_tool_calls")
    return Ask(
        turns=tuple(turns),
        tools=tuple(
            ToolSpec(
                text(tool.get("name")),
                text(tool.get("description")),
                mapping(tool.get("parameters")),
            )
            for tool in mappings(body.get("tools"))
            if tool.get("type", "function") == "function"
        ),
        tool_choice=_read_tool_choice(body.get("tool_choice")),
        parallel_tool_calls=parallel if isinstance(parallel, bool) else None,
        response_schema=_read_response_schema(body),
        max_tokens=whole(body.get("max_output_tokens")),
        temperature=number(body.get("temperature")),
    )


def _write_turns(turns: tuple[Turn, ...]) -> list[Json]:
    items: list[Json] = []
    for turn in turns:
        if turn.role == "tool":
            items.append(
                {
                    "type": "function_call_output",
                    "call_id": turn.tool_call_id or "",
                    "output": turn.text,
                }
            )
        elif turn.role != "system":
            if turn.text or turn.images or not turn.tool_calls:
                content = _write_content(turn)
                items.append({"type": "message", "role": turn.role, "content": content})
            items.extend(
                {
                    "type": "function_call",
                    "call_id": call.id or "",
                    "name": call.name,
                    "arguments": call.arguments,
                }
                for call in turn.tool_calls
            )
    return items


def _write_content(turn: Turn) -> str | list[Json]:
    if not turn.images:
        return turn.text
    images = (
        {"type": "input_image", "image_url": _PNG + png, "detail": "auto"} for png in turn.images
    )
    return [{"type": "input_text", "text": turn.text}, *images]


def _read_item(item: Json, turns: list[Turn]) -> None:
    """Add what *item* says to *turns*; a call joins the assistant turn before it."""
    kind = item.get("type", "message")
    if kind == "message":
        content = item.get("content")
        parts = mappings(content)
        told = content if isinstance(content, str) else "\n".join(_texts(parts))
        urls = [text(part.get("image_url")) for part in parts if part.get("type") == "input_image"]
        images = tuple(url.partition(",")[2] for url in urls if url.startswith("data:"))
        role = _ROLES.get(text(item.get("role")), "user")
        turns.append(Turn(role, text=told, images=images))
    elif kind == "function_call":
        call = ToolCall(
            optional_text(item.get("call_id")) or None,
            text(item.get("name")),
            text(item.get("arguments")),
        )
        joins = bool(turns) and turns[-1].role == "assistant"
        before = turns.pop() if joins else Turn("assistant")
        calls = (*before.tool_calls, call)
        turns.append(Turn("assistant", text=before.text, tool_calls=calls))
    elif kind == "function_call_output":
        output = item.get("output")
        told = output if isinstance(output, str) else "\n".join(_texts(mappings(output)))
        call_id = optional_text(item.get("call_id")) or None
        turns.append(Turn("tool", text=told, tool_call_id=call_id))


def _texts(parts: list[Json]) -> list[str]:
    spoken = ("input_text", "output_text", "text")
    return [text(part.get("text")) for part in parts if part.get("type") in spoken]


def _read_tool_choice(value: object) -> str:
    if isinstance(value, str):
        return value if value in _CHOICES else "auto"
    return text(mapping(value).get("name")) or "auto"


def _read_response_schema(body: Json) -> ResponseSchema | None:
    told = mapping(mapping(body.get("text")).get("format"))
    if told.get("type") != "json_schema" or not isinstance(told.get("schema"), dict):
        return None
    return ResponseSchema(text(told.get("name")) or "response", told["schema"])
