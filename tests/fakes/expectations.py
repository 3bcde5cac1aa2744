"""Compare an answer with what its task expects; simpler than the checks, and apart from them."""

import json
import re
from collections.abc import Iterator

from jsonschema import Draft202012Validator

from chaos.protocol.reading import Reading
from chaos.traffic.shape import Expectation


def misses(expect: Expectation, reading: Reading, nonce: str) -> list[str]:
    """List what a good answer would have and *reading* has not."""
    return list(_misses(expect, reading, nonce))


def _misses(expect: Expectation, reading: Reading, nonce: str) -> Iterator[str]:
    calls = [(call.name, json.loads(call.arguments)) for call in reading.tool_calls]
    if sorted(calls, key=str) != sorted(((c.name, c.arguments) for c in expect.calls), key=str):
        yield f"calls are {calls}"
    for call in expect.calls:
        Draft202012Validator(dict(call.schema)).validate(call.arguments)
    if len({call.id for call in reading.tool_calls} - {None}) != len(calls):
        yield "calls have no ids of their own"
    if expect.nonce_in_text and nonce not in reading.text:
        yield f"no nonce in {reading.text!r}"
    if expect.needle is not None and expect.needle not in reading.text:
        yield f"no needle in {reading.text!r}"
    said = re.findall(r"[a-z]+", reading.text.lower())
    if [word for word in said if word in expect.words_among] != list(expect.words):
        yield f"not the words {expect.words} in {reading.text!r}"
    if expect.schema is not None:
        value = json.loads(reading.text)
        Draft202012Validator(dict(expect.schema)).validate(value)
        if value != dict(expect.schema_values):
            yield f"values are {value}"
    if len(reading.vector_sizes) != expect.vectors or len(set(reading.vector_sizes)) > 1:
        yield f"vectors have the sizes {reading.vector_sizes}"
