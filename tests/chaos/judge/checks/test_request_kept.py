"""Tests of the check that every hop was asked what the client asked."""

from dataclasses import replace

import pytest

from chaos.judge.check import Kind, Result
from chaos.judge.checks.request_kept import REQUEST_KEPT
from chaos.protocol.conversation import Ask, ResponseSchema, ToolSpec, Turn
from chaos.traffic.shape import Expectation, Task
from chaos.witness.wire_record import KeyOwner
from tests.fakes.observations import (
    CALL,
    EMBEDDING_TASK,
    NONCE,
    PASSED,
    PROMPT,
    SCHEMA,
    STRUCTURE_TASK,
    TOOL,
    TOOL_TASK,
    calls,
    embedded,
    faulted,
    got,
    outcome,
    plan,
    says,
    seen,
    served,
)

JSON_TEXT = f'{{"code": "{NONCE}", "count": 3}}'
SPELT_FOR_GEMINI = {
    "type": "OBJECT",
    "properties": {"code": {"type": "STRING"}, "count": {"type": "INTEGER"}},
    "required": ["count", "code"],
}


def _judged(task, **changes):
    """Judge a drill whose serving hop was asked *task* with *changes*."""
    answers = {id(TOOL_TASK): calls(), id(STRUCTURE_TASK): says(JSON_TEXT)}
    reading = answers.get(id(task), says())
    asked = replace(task.ask, **changes)
    wire = (faulted(task=task), served(reply=reading, asked=asked))
    return outcome(plan(task=task), seen(*wire, reply=got(reading)))


@pytest.mark.parametrize(
    "changes",
    [
        {"temperature": 1.0},
        {"tools": (replace(TOOL, parameters=SPELT_FOR_GEMINI),)},
        {"tools": (replace(TOOL, parameters={"$schema": "x", "title": "t", **SCHEMA}),)},
        {"turns": (Turn("system", "Be brief."), Turn("user", PROMPT.replace(" ", "\n")))},
    ],
)
def test_additions_and_spelling_are_no_changes(changes):
    """What deployment and wire format explain is not held against the gateway."""
    assert _judged(TOOL_TASK, **changes) == PASSED


@pytest.mark.parametrize(
    "changes",
    [
        {"tools": ()},
        {"tools": (replace(TOOL, name="lookup"),)},
        {"tools": (TOOL, ToolSpec("search", "", {}))},
        {"tools": (replace(TOOL, parameters={**SCHEMA, "required": ["code"]}),)},
        {"tools": (replace(TOOL, parameters={**SCHEMA, "properties": {}}),)},
        {"tool_choice": "required"},
        {"turns": (Turn("user", "Say a word and nothing else."),)},
    ],
)
def test_lost_tools_schemas_choices_and_texts_are_changes(changes):
    """What the answer depends on has to arrive."""
    assert _judged(TOOL_TASK, **changes) == ("failed", "request_changed")


def test_forcing_the_only_tool_is_forcing_any():
    """With one tool the two spellings of a forced call are the same."""
    task = replace(TOOL_TASK, ask=replace(TOOL_TASK.ask, tool_choice="required"))
    asked = replace(task.ask, tool_choice="look_up")
    wire = (faulted(task=task), served(reply=calls(), asked=asked))
    assert outcome(plan(task=task), seen(*wire, reply=got(calls()))) == PASSED


def test_a_lost_response_schema_is_a_change():
    """Without its schema the hop answers as it likes."""
    assert _judged(STRUCTURE_TASK, response_schema=None) == ("failed", "request_changed")
    other = ResponseSchema("answer", {"type": "object"})
    assert _judged(STRUCTURE_TASK, response_schema=other) == ("failed", "request_changed")


def test_a_response_schema_as_a_forced_tool_call_is_no_change():
    """Some providers know structure only as a tool that must be called."""
    tool = ToolSpec("json_tool_call", "", SPELT_FOR_GEMINI)
    asked = {"response_schema": None, "tools": (tool,), "tool_choice": "json_tool_call"}
    assert _judged(STRUCTURE_TASK, **asked) == PASSED
    other = replace(tool, parameters={"type": "object"})
    assert _judged(STRUCTURE_TASK, **{**asked, "tools": (other,)}) == ("failed", "request_changed")
    asked["tool_choice"] = "auto"  # LiteLLM, for a model that may not be forced
    assert _judged(STRUCTURE_TASK, **asked) == PASSED
    named = {**asked, "tools": (replace(tool, name="answer_form"),)}
    assert _judged(STRUCTURE_TASK, **named) == ("failed", "request_changed")


def test_a_hop_that_is_asked_for_a_stream_instead_was_asked_something_else():
    """Streaming is part of the request."""
    wire = (faulted(), served(stream=True))
    assert outcome(plan(), seen(*wire)) == ("failed", "request_changed")


def test_a_key_other_than_the_canary_is_a_change():
    """A credential that the request did not carry must not reach a hop."""
    wire = (faulted(), served(key_owner=KeyOwner.OTHER))
    assert outcome(plan(), seen(*wire)) == ("failed", "request_changed")
    assert outcome(plan(canary=False), seen(*wire)) == PASSED


def test_the_failing_hop_has_to_be_asked_rightly_too():
    """A change at the primary is a change."""
    wire = (faulted(asked=Ask(turns=(Turn("user", "Hello."),))), served())
    assert outcome(plan(), seen(*wire)) == ("failed", "request_changed")


def test_lost_tool_results_are_a_change():
    """A history without the tool's result asks another question."""
    turns = (
        Turn("user", PROMPT),
        Turn("assistant", tool_calls=(CALL,)),
        Turn("tool", "21 degrees", tool_call_id="call_1"),
    )
    task = Task(Ask(turns=turns, tools=(TOOL,)), Expectation())
    assert _judged(task) == PASSED
    assert _judged(task, turns=turns[:2]) == ("failed", "request_changed")
    assert _judged(task, turns=(turns[0], turns[2])) == ("failed", "request_changed")


def test_a_lost_picture_or_text_to_embed_is_a_change():
    """Pictures and inputs are the request, not its trimmings."""
    picture = Task(Ask(turns=(Turn("user", PROMPT, images=("aGk=",)),)), Expectation())
    assert _judged(picture) == PASSED
    assert _judged(picture, turns=(Turn("user", PROMPT),)) == ("failed", "request_changed")
    vectors = says("", vectors=embedded(8, 8), finish=None)
    asked = replace(EMBEDDING_TASK.ask, inputs=EMBEDDING_TASK.ask.inputs[:1])
    for ask, expected in ((EMBEDDING_TASK.ask, PASSED), (asked, ("failed", "request_changed"))):
        wire = (faulted(task=EMBEDDING_TASK), served(reply=vectors, asked=ask))
        judged = outcome(plan(task=EMBEDDING_TASK), seen(*wire, reply=got(vectors)))
        assert judged == expected


def test_other_dimensions_are_a_change():
    """A vector of another size fits no index."""
    task = replace(EMBEDDING_TASK, ask=replace(EMBEDDING_TASK.ask, dimensions=8))
    vectors = says("", vectors=embedded(8, 8), finish=None)
    wire = (
        faulted(task=task),
        served(reply=vectors, asked=replace(task.ask, dimensions=None)),
    )
    assert outcome(plan(task=task), seen(*wire, reply=got(vectors))) == (
        "failed",
        "request_changed",
    )


def test_a_deployments_own_key_beside_the_canary_proves_nothing_wrong():
    """A corporate gateway wants a header of its own; whose it is, nobody can tell."""
    mixed = seen(faulted(), served(key_owner=KeyOwner.MIXED))
    finding = REQUEST_KEPT.judge(plan(), mixed)
    assert (finding.result, finding.kind) == (Result.UNKNOWN, Kind.REQUEST_CHANGED)
    assert outcome(plan(), mixed) == PASSED


def test_a_schema_as_a_tool_call_may_be_asked_for_whole():
    """LiteLLM streams to the client what it has got in one piece."""
    tool = ToolSpec("json_tool_call", "", SPELT_FOR_GEMINI)
    asked = replace(
        STRUCTURE_TASK.ask, response_schema=None, tools=(tool,), tool_choice="json_tool_call"
    )
    wire = (
        faulted(task=STRUCTURE_TASK, stream=True),
        served(reply=says(JSON_TEXT), asked=asked, stream=False),
    )
    judged = seen(*wire, reply=got(says(JSON_TEXT)))
    assert outcome(plan(task=STRUCTURE_TASK, stream=True), judged) == PASSED


def test_a_client_profile_s_parameters_are_what_was_asked():
    """They take the place of ours, and are compared as they went out."""
    ask = replace(TOOL_TASK.ask, extra={"temperature": 0.7, "max_tokens": 99}, temperature=0.0)
    task = replace(TOOL_TASK, ask=ask)
    out = replace(TOOL_TASK.ask, temperature=0.7, max_tokens=99)
    for asked, judged in ((out, PASSED), (ask, ("failed", "request_changed"))):
        wire = (faulted(task=task, asked=out), served(reply=calls(), asked=asked))
        assert outcome(plan(task=task), seen(*wire, reply=got(calls()))) == judged


def test_what_goes_into_thoughts_may_come_on_top():
    """A deployment that thinks by its own settings gets more tokens than were asked for."""
    more = replace(TOOL_TASK.ask, max_tokens=4096)
    wire = (faulted(task=TOOL_TASK), served(reply=calls(), asked=more))
    judged = seen(*wire, reply=got(calls()))
    usual_plan = plan(task=TOOL_TASK)
    assert outcome(usual_plan, judged) == ("failed", "request_changed")
    first, hop = usual_plan.hops
    thinking = replace(hop, deployments=(replace(hop.deployments[0], thinks=True),))
    assert outcome(replace(usual_plan, hops=(first, thinking)), judged) == PASSED
