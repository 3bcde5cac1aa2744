"""Whatever an engine answers, what is no message is none."""

import json

import pytest

from supervisor.rollout.exchange.said import deltas_of, messages_of

SAID = {"content": "hello"}


@pytest.mark.parametrize(
    ("answer", "messages"),
    [
        ({"choices": [{"message": SAID}]}, [SAID]),
        ({"choices": [None, {"message": SAID}, {"message": None}, "x"]}, [SAID]),
        ({"choices": None}, []),
        ([SAID], []),
        (None, []),
    ],
    ids=["one", "among others", "no choices", "a list", "nothing"],
)
def test_messages_are_those_that_are_messages(answer, messages):
    """Odd JSON is no reason for a traceback in the middle of a swap."""
    assert messages_of(answer) == messages


def test_deltas_of_a_stream_come_in_their_order():
    """Lines that are broken, or none of ours, are left out."""
    chunks = [{"choices": [{"delta": {"content": letter}}]} for letter in "ab"]
    lines = [
        ": a comment",
        f"data: {json.dumps(chunks[0])}",
        "data: {broken",
        'data: {"choices": [null]}',
        "event: ping",
        f"data: {json.dumps(chunks[1])}",
        "data: [DONE]",
    ]
    assert deltas_of("\n".join(lines)) == [{"content": "a"}, {"content": "b"}]
