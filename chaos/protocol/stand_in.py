"""What a willing provider would say to a request: from the request alone, the same every time.

    tool results                         quoted
    calls that the prompt demands        made, arguments as they stand there
    a forced call that it does not       made up from the tool's schema
    a schema for the answer              filled in
    texts to embed                       vectors
    anything else                        text with the nonce, and the colour of a picture

It has no model and no secret: what it answers, a good small model would answer too.
"""

import base64
import binascii
import hashlib
import json
import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from chaos.protocol.conversation import Answer, Ask, Finish, Json, ToolCall, ToolSpec, Turn
from chaos.protocol.schema_example import example, find_nonce, has_the_keys_of

DIMENSIONS = 8
CHARACTERS_PER_TOKEN = 4
MOST_DIMENSIONS = 8_192

_COLOURS: Mapping[str, tuple[int, int, int]] = {
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "red": (255, 0, 0),
    "green": (0, 160, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 230, 0),
}


def compose(ask: Ask, *, marker: str = "") -> Answer:
    """Answer *ask* as a willing provider would.

    Args:
        marker: Put at the beginning of the text, so that two answers can be told apart. Not
            where the text has to be JSON: that would break it.
    """
    answer = _vectors(ask) if ask.inputs else _reply(ask, marker)
    asked = sum(len(turn.text) for turn in ask.turns) + sum(map(len, ask.inputs))
    said = len(answer.text) + sum(len(call.name + call.arguments) for call in answer.tool_calls)
    return Answer(
        text=answer.text,
        tool_calls=answer.tool_calls,
        finish=answer.finish,
        vectors=answer.vectors,
        input_tokens=max(1, asked // CHARACTERS_PER_TOKEN),
        output_tokens=max(1, said // CHARACTERS_PER_TOKEN),
    )


def _reply(ask: Ask, marker: str) -> Answer:
    last = ask.turns[-1] if ask.turns else Turn("user")
    if last.role == "tool":
        return Answer(f"{marker}The tool said: {_results(ask)}")
    question = _question(ask)
    calls = _calls(ask, question)
    if calls:
        return Answer(marker, tool_calls=calls, finish=Finish.TOOL_CALLS)
    if ask.response_schema is not None:
        schema = ask.response_schema.schema
        fitting = [found for _, found in _objects(question) if has_the_keys_of(found, schema)]
        return Answer(_json(fitting[-1] if fitting else example(schema, question)))
    return Answer(marker + _text(ask, question))


def _question(ask: Ask) -> str:
    asked = [turn.text for turn in ask.turns if turn.role == "user" and turn.text]
    return asked[-1] if asked else ""


def _results(ask: Ask) -> str:
    """Quote the results after the last turn that is none."""
    results: list[str] = []
    for turn in reversed(ask.turns):
        if turn.role != "tool":
            break
        results.insert(0, turn.text)
    return " ".join(results)


def _text(ask: Ask, question: str) -> str:
    nonce = find_nonce(question)
    said = f"The token is {nonce}." if nonce else "This is a stand-in's answer."
    seen = [_colour(png) for turn in ask.turns for png in turn.images]
    colours = [colour for colour in seen if colour is not None]
    if not colours:
        return said
    told = "The picture is" if len(colours) == 1 else "The pictures are"
    return f"{told} {', '.join(colours)}. {said}"


# --- tool calls ------------------------------------------------------------------------


def _calls(ask: Ask, question: str) -> tuple[ToolCall, ...]:
    if not ask.tools or ask.tool_choice == "none":
        return ()
    named = [tool for tool in ask.tools if tool.name == ask.tool_choice]
    offered = named or list(ask.tools)
    demanded = list(_demanded(offered, question, forced=ask.tool_choice != "auto"))
    if ask.parallel_tool_calls is False:
        demanded = demanded[:1]
    return tuple(
        _call(place, tool, _json(arguments)) for place, (tool, arguments) in enumerate(demanded)
    )


def _call(place: int, tool: ToolSpec, arguments: str) -> ToolCall:
    drawn = hashlib.sha256(f"{place} {tool.name} {arguments}".encode(errors="replace"))
    return ToolCall(f"call_{drawn.hexdigest()[:24]}", tool.name, arguments)


def _demanded(
    offered: list[ToolSpec], question: str, *, forced: bool
) -> Iterator[tuple[ToolSpec, Json]]:
    """Find the calls that the prompt spells out; else the one that it names, or has to get."""
    found = False
    for before, arguments in _objects(question):
        tool = _last_named(offered, before)
        if tool is None and forced:
            tool = next(
                (one for one in offered if has_the_keys_of(arguments, one.parameters)), None
            )
        if tool is not None:
            found = True
            yield tool, arguments
    if found:
        return
    tool = _last_named(offered, question) or (offered[0] if forced else None)
    if tool is not None:
        yield tool, example(tool.parameters, question)


def _last_named(offered: list[ToolSpec], text: str) -> ToolSpec | None:
    """Find the tool whose name stands last in *text*; the longer one of two at one place."""
    places = [(place, tool) for tool in offered if (place := _place(tool.name, text)) >= 0]
    return max(places, key=lambda found: found[0])[1] if places else None


def _place(name: str, text: str) -> int:
    hits = [hit.start() for hit in re.finditer(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text)]
    return hits[-1] if name and hits else -1


def _objects(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Find JSON objects, each with the text between it and the one before."""
    decoder = json.JSONDecoder()
    done, place = 0, text.find("{")
    while place >= 0:
        try:
            value, end = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            place = text.find("{", place + 1)
            continue
        yield text[done:place], value
        done, place = end, text.find("{", end)


# --- vectors and pictures --------------------------------------------------------------


def _vectors(ask: Ask) -> Answer:
    size = min(max(1, ask.dimensions or DIMENSIONS), MOST_DIMENSIONS)
    return Answer(vectors=tuple(_vector(text, size) for text in ask.inputs))


def _vector(text: str, size: int) -> tuple[float, ...]:
    """Make a vector of length one that depends on every letter of *text*."""
    drawn = hashlib.shake_256(text.encode(errors="replace")).digest(2 * size)
    numbers = [number / 32768 - 1 for number in struct.unpack(f">{size}H", drawn)]
    length = sum(number * number for number in numbers) ** 0.5 or 1.0
    return tuple(round(number / length, 6) for number in numbers)


def _colour(png_base64: str) -> str | None:
    """Name the colour of a picture's first pixel; None unless it is as simple as ours are."""
    try:
        png = base64.b64decode(png_base64, validate=True)
        start = png.index(b"IDAT")
        size = int.from_bytes(png[start - 4 : start], "big")
        first = zlib.decompressobj().decompress(png[start + 4 : start + 4 + size], 4)
    except (ValueError, binascii.Error, zlib.error):
        return None
    if len(first) < 4 or first[0] != 0 or png[24:26] != b"\x08\x02":  # 8 bits, RGB, unfiltered
        return None
    return min(
        _COLOURS,
        key=lambda name: sum(
            (one - other) ** 2 for one, other in zip(_COLOURS[name], first[1:], strict=True)
        ),
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
