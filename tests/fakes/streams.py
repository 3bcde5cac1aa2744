"""Ways of feeding bytes to a reader, and recorded replies of the real LiteLLM."""

import json
from collections.abc import Iterable
from typing import Any

from hypothesis import strategies as st

from chaos.protocol.conversation import (
    Answer,
    Ask,
    Finish,
    ResponseSchema,
    ToolCall,
    ToolSpec,
    Turn,
)
from chaos.protocol.format import WireFormat
from chaos.protocol.pieces import event_bytes
from chaos.protocol.reading import Defect, Reading
from tests.fakes.recorded_replies import RECORDED, read_recorded

TOOL = ToolSpec("get_weather", "Tell the weather.", {"type": "object", "properties": {}})
_WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
_ARGUMENTS = st.dictionaries(_WORDS, st.integers() | _WORDS, max_size=3).map(
    lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":"))
)
_NAMES = st.sampled_from(["get_weather", "add", "höhe"])


def read_stream(wire_format: WireFormat, data: bytes, size: int | None = None) -> Reading:
    """Read *data* in pieces of *size* bytes, or at once."""
    reader = wire_format.stream_reader()
    step = size or max(1, len(data))
    for start in range(0, len(data), step):
        reader.feed(data[start : start + step])
    return reader.close()


def events(*payloads: dict[str, Any]) -> bytes:
    """Write *payloads* as events named after their types."""
    return b"".join(event_bytes(payload["type"], payload) for payload in payloads)


def defects(reading: Reading) -> list[Defect]:
    """List what was found, in order."""
    return [found.defect for found in reading.defects]


def recorded(wire_format: WireFormat, name: str) -> Reading:
    """Read a recorded reply, as a stream where it was one."""
    return read_recorded(wire_format.name, name, wire_format)


def good_recordings(wire_format: WireFormat) -> Iterable[str]:
    """Name the recordings of healthy replies."""
    return sorted(file.stem for file in (RECORDED / wire_format.name).glob("*_good_*.json"))


def answers() -> st.SearchStrategy[Answer]:
    """Make answers with text, reasoning and calls in any mixture."""
    calls = st.lists(
        st.builds(ToolCall, st.text("abc123_", min_size=1, max_size=9), _NAMES, _ARGUMENTS),
        max_size=3,
    )
    return st.builds(
        lambda text, reasoning, tool_calls, cut: Answer(
            text=text,
            reasoning=reasoning,
            tool_calls=tuple(tool_calls),
            finish=cut or (Finish.TOOL_CALLS if tool_calls else Finish.STOP),
        ),
        st.just("") | _WORDS,
        st.just("") | _WORDS,
        calls,
        st.sampled_from([None, None, Finish.LENGTH, Finish.CONTENT_FILTER]),
    )


def asks() -> st.SearchStrategy[Ask]:
    """Make asks as traffic shapes do: system, user, and at times a call and its result."""
    call = st.builds(ToolCall, st.just("call_1"), _NAMES, _ARGUMENTS)
    images = st.sampled_from([(), ("iVBORw0KGgo=",), ("iVBORw0KGgo=", "AAAA")])
    after_call = st.builds(
        lambda call, told: (
            Turn("assistant", tool_calls=(call,)),
            Turn("tool", text=told, tool_call_id=call.id),
        ),
        call,
        _WORDS,
    )
    turns = st.builds(
        lambda system, user, rest: (*system, user, *rest),
        st.just(()) | st.builds(lambda text: (Turn("system", text=text),), _WORDS),
        st.builds(lambda text, pngs: Turn("user", text=text, images=pngs), _WORDS, images),
        st.just(()) | after_call,
    )
    return st.builds(
        Ask,
        turns=turns,
        tools=st.just((TOOL,)),
        tool_choice=st.sampled_from(["auto", "required", "get_weather"]),
        parallel_tool_calls=st.sampled_from([None, True, False]),
        response_schema=st.none() | st.just(ResponseSchema("response", {"type": "object"})),
        max_tokens=st.integers(1, 9999),
        temperature=st.none() | st.just(0.0),
    )
