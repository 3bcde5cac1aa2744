"""Asks and answers of every kind, for hypothesis and by hand."""

import itertools
import json

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

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
WEATHER = ToolSpec("get_weather", "Tell the weather of a city.", SCHEMA)
CALL = ToolCall("call_1", "get_weather", '{"city": "Zürich 1f2e3d4c"}')
OTHER_CALL = ToolCall("call_2", "get_time", "{}")

texts = st.text(st.characters(codec="utf-8"), max_size=60)
names = st.from_regex(r"[a-z_]{1,12}", fullmatch=True)
schemas = st.fixed_dictionaries({"type": st.just("object"), "description": texts})
tools = st.builds(ToolSpec, names, texts, schemas)
arguments = st.dictionaries(names, texts | st.integers() | st.booleans(), max_size=4).map(
    json.dumps
)


def calls(most: int = 3) -> st.SearchStrategy[tuple[ToolCall, ...]]:
    """Make tool calls with ids of their own."""
    pairs = st.lists(st.tuples(names, arguments), max_size=most)
    return pairs.map(
        lambda made: tuple(
            ToolCall(f"call_{number}", name, text) for number, (name, text) in enumerate(made)
        )
    )


turns = (
    st.builds(Turn, role=st.just("system"), text=texts)
    | st.builds(
        Turn,
        role=st.just("user"),
        text=texts,
        images=st.sampled_from([(), ("iVBORw0KGgo=",), ("iVBORw0KGgo=", "AAAA")]),
    )
    | st.builds(Turn, role=st.just("assistant"), text=texts, tool_calls=calls())
    | st.builds(Turn, role=st.just("tool"), text=texts, tool_call_id=names)
)
asks = st.builds(
    Ask,
    turns=st.lists(turns, max_size=5).map(tuple),
    tools=st.lists(tools, min_size=1, max_size=3).map(tuple),
    tool_choice=st.sampled_from(["auto", "none", "required", "get_weather"]),
    parallel_tool_calls=st.none() | st.booleans(),
    response_schema=st.none() | st.builds(ResponseSchema, names, schemas),
    max_tokens=st.none() | st.integers(1, 10**6),
    temperature=st.none() | st.floats(0, 2),
)
answers = st.builds(
    Answer,
    text=texts,
    tool_calls=calls(),
    reasoning=texts,
    finish=st.sampled_from(list(Finish)),
    input_tokens=st.integers(0, 10**6),
    output_tokens=st.integers(0, 10**6),
)
split_places = st.lists(st.integers(0, 4000), max_size=8).map(sorted)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """Cut *data* at those of *places* that lie inside."""
    edges = [0, *(place for place in places if place < len(data)), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]


halves = st.text(st.characters() | st.characters(categories=["Cs"]), max_size=8)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | halves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)

fields = st.sampled_from(
    ["choices", "message", "content", "tool_calls", "function", "id", "error", "usage", "code"]
)
replies = st.recursive(
    json_values,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(fields, inner, max_size=5),
    max_leaves=20,
)
