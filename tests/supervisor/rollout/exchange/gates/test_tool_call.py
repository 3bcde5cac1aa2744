"""The engine has to call a tool, in both ways, with the argument that it was given."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from chaos.lab.simulated_engine import SimulatedEngine
from chaos.traffic.note_tool import RECORD_NOTE
from supervisor.rollout.exchange.gates.tool_call import ASKED, TRIES, gate
from supervisor.rollout.exchange.said import deltas_of
from supervisor.rollout.finding import Answer, Finding
from tests.fakes.server import serving
from tests.fakes.swaps import flags, swapping


async def answered(session: Any, message: Callable[[str, int], Any]) -> tuple[Finding, int]:
    """What the gate says of an engine whose message is made of the code and the try; and tries."""
    tries = 0

    async def chat(request: Any) -> web.Response:
        nonlocal tries
        tries += 1
        body = await request.json()
        (code,) = re.findall(r"\b[0-9a-f]{8}\b", body["messages"][0]["content"])
        made = message(code, tries)
        if body.get("stream"):
            event = json.dumps({"choices": [{"delta": made}]})
            return web.Response(text=f"data: {event}\n\ndata: [DONE]\n\n")
        return web.json_response({"choices": [{"message": made}]})

    async with serving(chat) as url:
        (one,) = await gate(swapping(url, session))
    return one, tries


def called(arguments: Any, name: str = RECORD_NOTE.name) -> dict[str, Any]:
    """Make a message that calls a tool."""
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {"tool_calls": [{"index": 0, "function": function}]}


@pytest.mark.parametrize("thinks", [False, True])
async def test_the_model_s_own_parser_reads_the_call_in_both_ways(session, thinks):
    """One try of each is enough."""
    async with SimulatedEngine(flags(thinks=thinks)) as engine:
        (one,) = await gate(swapping(engine.url, session))
        ways = [bool(seen.body.get("stream")) for seen in engine.seen]
    assert one == Finding("tool call", Answer.OK, ASKED, "it does")
    assert ways == [False, True]


async def test_the_parser_of_another_family_is_refused_with_what_was_said(session):
    """The call is left in the text, and each way was tried more than once."""
    async with SimulatedEngine(flags(tool_call_parser="hermes", thinks=False)) as engine:
        (one,) = await gate(swapping(engine.url, session))
        ways = [bool(seen.body.get("stream")) for seen in engine.seen]
    assert one.answer is Answer.REFUSED
    whole, streamed = one.came.split("; streamed: ")
    assert whole.startswith("whole: no call, but ")
    assert streamed.startswith("no call, but ")
    assert f"<|tool_call>call:{RECORD_NOTE.name}" in whole
    assert f"<|tool_call>call:{RECORD_NOTE.name}" in streamed
    assert ways == [False] * TRIES + [True] * TRIES


async def test_an_engine_without_the_flags_is_refused_with_its_own_words(session):
    """A status 400, and the flags that it wants."""
    without = flags(enable_auto_tool_choice=False, tool_call_parser=None)
    async with SimulatedEngine(without) as engine:
        (one,) = await gate(swapping(engine.url, session))
    assert one.answer is Answer.REFUSED
    assert one.came.startswith("whole: status 400 ")
    assert "--enable-auto-tool-choice" in one.came
    assert "; streamed: status 400 " in one.came


async def test_where_tools_are_no_part_of_it_nothing_is_asked(session):
    """Neither the old engine nor the new one has a parser."""
    async with SimulatedEngine(flags()) as engine:
        (one,) = await gate(swapping(engine.url, session, tools=False))
        assert not engine.seen
    assert (one.check, one.answer, one.asked) == ("tool call", Answer.UNKNOWN, ASKED)
    assert "no tool-call parser" in one.came


async def test_a_model_may_miss_once(session):
    """It is the engine that is judged."""
    one, tries = await answered(
        session, lambda code, tried: {"content": "No."} if tried == 1 else called({"note": code})
    )
    assert one.answer is Answer.OK
    assert tries == 3


async def test_a_call_in_one_way_alone_is_refused(session):
    """The way that is missing is named, and only that."""

    def whole_only(code: str, tried: int) -> dict[str, Any]:
        return called({"note": code}) if tried == 1 else {"content": "I would call it."}

    one, tries = await answered(session, whole_only)
    assert one.answer is Answer.REFUSED
    assert one.came == "streamed: no call, but 'I would call it.'"
    assert tries == 1 + TRIES


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (lambda code, _: called({"note": f"{code}0"}), "and the note was "),
        (lambda code, _: called({"note": [code]}), "and the note was "),
        (lambda *_: called(["a note"]), "and the note was "),
        (lambda code, _: called({"note": code}, "other"), '["other", '),
        (lambda *_: {}, "neither a call nor a text"),
        (lambda *_: {"content": ""}, "neither a call nor a text"),
    ],
)
async def test_a_call_with_another_argument_or_name_is_none(session, message, said):
    """What came is told."""
    one, tries = await answered(session, message)
    assert one.answer is Answer.REFUSED
    assert said in one.came
    assert tries == 2 * TRIES


def test_lines_of_a_stream_that_are_no_events_are_passed_over():
    """Comments, broken JSON, other values, and chunks without a choice."""
    first: dict[str, Any] = {"content": "a"}
    last: dict[str, Any] = {"tool_calls": []}
    lines = [
        ": a comment",
        "",
        "event: message",
        f"data: {json.dumps({'choices': [{'delta': first}]})}",
        'data: {"choices": [{"del',
        "data: 7",
        "data: []",
        'data: {"choices": []}',
        'data: {"usage": {}}',
        'data: {"choices": [{"index": 0}]}',
        json.dumps({"choices": [{"delta": {"content": "not an event"}}]}),
        f"data:{json.dumps({'choices': [{'delta': last}]})}",
        "data: [DONE]",
    ]
    assert deltas_of("\n".join(lines)) == [first, last]
