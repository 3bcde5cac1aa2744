"""Ollama's ``POST /api/generate``, as LiteLLM uses it for ``ollama/…``: one prompt, one text.

The turns are written into the prompt under headings, and tools are described at its end, with the
demand to call them by a JSON object. A tool's result is written as the user's; the answer is JSON
(``format: json``) whenever tools are offered.

Source: LiteLLM 1.106.2, ``ollama_pt`` and ``function_call_prompt``, and requests that it sent.
"""

import ast
import re
from collections.abc import Iterator
from typing import Any, ClassVar

from chaos.protocol.conversation import Answer, Ask, Json, Role, ToolCall, ToolSpec, Turn
from chaos.protocol.format import Piece, PieceKind
from chaos.protocol.formats.ollama.chat import (
    CREATED_AT,
    NO_PLACE,
    as_line,
    media_type,
    read_schema,
    read_tool,
    write_end,
    write_options,
)
from chaos.protocol.formats.ollama.reply import OllamaStreamReader, call_in, read_ollama_reply
from chaos.protocol.json.lenient import as_json_text, as_object, mapping, number, text, whole
from chaos.protocol.pieces import TEXT_PIECES, slices
from chaos.protocol.reading import Reading, StreamReader

_HEADING = re.compile(r"(?:\A|\n\n)### (User|System|Assistant):\n")
_ROLES: dict[str, Role] = {"User": "user", "System": "system", "Assistant": "assistant"}
_TOOLS = (
    'To call a function, reply with JSON ONLY in this format {"name": "function_name", '
    '"arguments":{"argument_name": "argument_value"}}. Once a function result answers the request, '
    "reply to the user in plain text instead of calling a function again. The following functions "
    "are available to you:"
)
_TOOLS_BEGIN = re.compile(
    r"(?: ?To call a function, reply with JSON ONLY|Produce JSON OUTPUT ONLY!)"
)
"""How the description of the tools begins; the second is that of older versions."""


class OllamaGenerate:
    """A single prompt of Ollama's."""

    name: ClassVar[str] = "ollama_generate"

    def write_ask(self, ask: Ask, *, model: str, stream: bool) -> Json:
        """Write a request's JSON body."""
        body: dict[str, Any] = {
            "model": model,
            "prompt": "".join(_sections(ask)),
            "options": write_options(ask),
            "stream": stream,
            "images": [png for turn in ask.turns for png in turn.images],
        }
        if ask.response_schema is not None:
            body["format"] = ask.response_schema.schema
        elif ask.tools:
            body["format"] = "json"
        return {**body, **(ask.extra or {})}

    def read_ask(self, body: Json) -> Ask:
        """Read a request's JSON body; lenient, because gateways add fields of their own."""
        turns, tools = _read_prompt(text(body.get("prompt")))
        images = body.get("images")
        options = mapping(body.get("options"))
        shown = tuple(i for i in images if isinstance(i, str)) if isinstance(images, list) else ()
        return Ask(
            turns=_with_pictures(turns, shown),
            tools=tools,
            response_schema=read_schema(body),
            max_tokens=whole(options.get("num_predict")),
            temperature=number(options.get("temperature")),
            lacks=NO_PLACE,
        )

    def write_answer(self, answer: Answer, *, model: str, stream: bool) -> tuple[Piece, ...]:
        """Write a good reply; of several calls there is a place for the first alone."""
        said, kind = answer.text, PieceKind.CONTENT
        if answer.tool_calls:
            call = answer.tool_calls[0]
            said = as_json_text({"name": call.name, "arguments": as_object(call.arguments)})
            kind = PieceKind.TOOL_CALL
        head = {"model": model, "created_at": CREATED_AT}
        if not stream:
            thought = {"thinking": answer.reasoning} if answer.reasoning else {}
            body = {**head, "response": said, **thought, **write_end(answer)}
            return (Piece(PieceKind.CONTENT, as_json_text(body).encode()),)
        pieces = [
            Piece(
                PieceKind.REASONING,
                as_line({**head, "response": "", "thinking": part, "done": False}),
            )
            for part in slices(answer.reasoning, TEXT_PIECES)
        ]
        pieces += [
            Piece(kind, as_line({**head, "response": part, "done": False}))
            for part in slices(said, TEXT_PIECES)
        ]
        end = as_line({**head, "response": "", **write_end(answer)})
        return (*pieces, Piece(PieceKind.FINISH, end))

    def write_error_event(self, error: Json) -> bytes:
        """Write a provider's error body as a line inside a stream that began with 200."""
        return as_line(error)

    def content_type(self, *, stream: bool) -> str:
        """Name the media type of a reply."""
        return media_type(stream=stream)

    def read_reply(self, status: int, body: bytes) -> Reading:
        """Read a whole reply strictly, good or error; never raises."""
        return read_ollama_reply("response", status, body)

    def stream_reader(self) -> StreamReader:
        """Make a reader for one streamed reply of status 2xx."""
        return OllamaStreamReader("response")


def _sections(ask: Ask) -> Iterator[str]:
    """Write the turns under their headings, and what tools there are under the last one."""
    for turn in ask.turns:
        heading = {"system": "System", "assistant": "Assistant"}.get(turn.role, "User")
        calls = [
            as_json_text({"name": call.name, "arguments": as_object(call.arguments)})
            for call in turn.tool_calls
        ]
        words = "\n".join(filter(None, (turn.text, *calls)))
        if words:
            yield f"### {heading}:\n{words}\n\n"
    if ask.tools:
        listed = "".join(f"\n{_write_tool(tool)!r}\n" for tool in ask.tools)
        yield f"### System:\n{_TOOLS}{listed}\n\n"


def _write_tool(tool: ToolSpec) -> dict[str, Any]:
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
    }
    return {"type": "function", "function": function}


def _read_prompt(prompt: str) -> tuple[list[Turn], tuple[ToolSpec, ...]]:
    """Take a prompt apart at its headings; one without any is the user's."""
    first, *rest = _HEADING.split(prompt)
    sections = [("User", first)] if first.strip() else []
    sections += zip(rest[::2], rest[1::2], strict=True)
    turns: list[Turn] = []
    tools: list[ToolSpec] = []
    for heading, section in sections:
        role = _ROLES[heading]
        found = _TOOLS_BEGIN.search(section) if role == "system" else None
        if found is not None:
            tools += _read_tools(section[found.start() :])
        said = section if found is None else section[: found.start()]
        words = said.removesuffix("\n\n")
        if role == "assistant":
            turns.append(_read_assistant(words))
        elif role == "user" and turns and turns[-1].tool_calls:
            turns += _read_results(words, turns[-1].tool_calls)
        elif words or found is None:
            turns.append(Turn(role, words))
    return turns, tuple(tools)


def _read_assistant(words: str) -> Turn:
    read = [(line, call_in(line)) for line in words.split("\n")]
    return Turn(
        "assistant",
        "\n".join(line for line, call in read if call is None),
        tool_calls=tuple(call for _, call in read if call is not None),
    )


def _read_results(words: str, calls: tuple[ToolCall, ...]) -> list[Turn]:
    """Read what comes after calls: their results, one a line where there are several."""
    lines = words.split("\n")
    parts = lines if len(lines) == len(calls) else [words]
    return [Turn("tool", part) for part in parts]


def _read_tools(words: str) -> Iterator[ToolSpec]:
    """Read the tools, each on a line of its own, as Python writes a dictionary."""
    for line in words.split("\n"):
        if not line.startswith("{"):
            continue
        try:
            tool = ast.literal_eval(line)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(tool, dict):
            yield read_tool(tool)


def _with_pictures(turns: list[Turn], images: tuple[str, ...]) -> tuple[Turn, ...]:
    """Give the pictures, which come apart from the prompt, to the last turn of the user."""
    places = [place for place, turn in enumerate(turns) if turn.role == "user"]
    if images and places:
        own = turns[places[-1]]
        turns[places[-1]] = Turn("user", own.text, images=images)
    return tuple(turns)
