"""Tests of the check that tool calls are made, whole and right."""

from dataclasses import replace

import pytest

from chaos.faults.fault import Phase
from chaos.protocol.conversation import Finish, ToolCall
from chaos.protocol.reading import Defect, DefectFound
from chaos.traffic.shape import Expectation, ExpectedCall
from chaos.witness.wire_record import AttemptOutcome
from tests.fakes.observations import (
    CALL,
    NONCE,
    PASSED,
    SCHEMA,
    STRUCTURE_TASK,
    TOOL_TASK,
    calls,
    cut,
    faulted,
    got,
    outcome,
    plan,
    record,
    sampled,
    says,
    seen,
    usual,
    verdict,
    where,
)

PLAN = plan(task=TOOL_TASK)
TWO = replace(
    TOOL_TASK,
    expect=replace(
        TOOL_TASK.expect,
        calls=(
            *TOOL_TASK.expect.calls,
            ExpectedCall("look_up", {"code": NONCE, "count": 4}, SCHEMA),
        ),
    ),
)
LEAKS = [
    f'<tool_call>{{"name": "look_up", "arguments": {{"code": "{NONCE}", "count": 3}}}}</tool_call>',
    f'<|tool_call>call:look_up{{code:<|"|>{NONCE}<|"|>,count:3}}<tool_call|>',
    f'[TOOL_CALLS]look_up{{"code": "{NONCE}", "count": 3}}',
    f"<function=look_up><parameter=code>{NONCE}</parameter></function>",
    f'[look_up(code="{NONCE}", count=3)]',
    f'```json\n{{"code": "{NONCE}", "count": 3}}\n```',
    f'Sure. {{"tool": "look_up", "parameters": {{"code": "{NONCE}"}}}}',
    '<tool_call>{"name": "',
]


def _usual(client, own=None, **changes):
    return usual(client, own=own, task=TOOL_TASK, **changes)


def _call(arguments=CALL.arguments, name="look_up", id_="call_1"):
    return ToolCall(id_, name, arguments)


def test_the_right_call_passes():
    """Tool, values and schema are right; white space and order of keys do not matter."""
    other = _call(f'{{"count":3,"code":"{NONCE}"}}')
    assert outcome(PLAN, _usual(calls(other), own=calls())) == PASSED


@pytest.mark.parametrize("text", LEAKS)
def test_a_call_in_the_text_is_leaked_and_the_hop_is_to_blame(text):
    """Whatever the engine's notation, a call in the text is no tool call, at once."""
    leaked = _usual(says(text))
    assert outcome(PLAN, leaked) == ("failed", "tool_call_leaked")
    assert where(PLAN, leaked) == "hop"


def test_a_call_in_the_reasoning_is_leaked():
    """Reasoning that holds the whole call, with no call made, has swallowed it."""
    assert outcome(PLAN, _usual(says("Done.", reasoning=LEAKS[0]))) == (
        "failed",
        "tool_call_leaked",
    )


def test_prose_about_a_tool_is_no_leak():
    """A model that only speaks of the tool has called nothing, by its own choice."""
    prose = says("I would use look_up for that, but I may not.")
    assert outcome(PLAN, _usual(prose)) == ("inconclusive", "model_unreliable")


def test_a_call_that_the_gateway_lost_is_the_gateways():
    """The hop called, the client got text: no sample is needed."""
    lost = _usual(says("Fine."), own=calls(text="Fine."))
    assert outcome(PLAN, lost) == ("failed", "tool_call_missing")
    assert where(PLAN, lost) == "gateway"


@pytest.mark.parametrize(
    ("misses", "judged"),
    [
        (0, ("inconclusive", "model_unreliable")),
        (1, ("inconclusive", "model_unreliable")),
        (2, ("failed", "tool_call_missing")),
        (3, ("failed", "tool_call_missing")),
    ],
)
def test_a_missing_call_is_the_models_if_it_misses_twice_more(misses, judged):
    """Three direct samples tell a model that cannot from one that did not this once."""
    samples = [says("No.")] * misses + [calls()] * (3 - misses)
    missing = _usual(says("No."), direct=sampled(*samples, task=TOOL_TASK))
    assert outcome(PLAN, missing) == judged
    if judged[0] == "failed":
        assert where(PLAN, missing) == "model"


def test_without_samples_the_finding_says_that_they_are_needed():
    """The drill knows from it to ask the hop directly."""
    deciding = verdict(PLAN, _usual(says("No."))).deciding
    assert deciding is not None
    assert "asked directly" in deciding.message


@pytest.mark.parametrize(
    "arguments",
    [
        '{"code": "7f3a91c2", "count": 3',
        '{"code": "7f3a91c2", "count": trutrue}',
        '["7f3a91c2", 3]',
        '{"code": "<|\\"|>7f3a91c2", "count": 3}',
        '{"code": "00000000", "code": "7f3a91c2", "count": 3}',
    ],
)
def test_broken_arguments_are_the_hops_at_once(arguments):
    """Arguments without form are broken by the engine's parser, not by the model's mood."""
    broken = _usual(calls(_call(arguments)))
    assert outcome(PLAN, broken) == ("failed", "tool_call_invalid")
    assert where(PLAN, broken) == "hop"


@pytest.mark.parametrize(
    "made",
    [
        (_call('{"code": "7f3a91c2", "count": "3"}'),),
        (_call('{"code": "7f3a91c2"}'),),
        (_call('{"code": "00000000", "count": 3}'),),
        (_call(name="rm_rf"),),
        (CALL, _call(id_="call_2")),
    ],
)
def test_a_wrong_call_that_the_hop_made_rightly_is_the_gateways(made):
    """Schema, values, tool and number of calls are compared with what the hop sent."""
    changed = _usual(calls(*made), own=calls())
    assert outcome(PLAN, changed) == ("failed", "tool_call_invalid")
    assert where(PLAN, changed) == "gateway"


def test_a_wrong_choice_of_the_model_needs_samples():
    """A wrong value may be right the next time."""
    wrong = calls(_call('{"code": "00000000", "count": 3}'))
    assert outcome(PLAN, _usual(wrong)) == ("inconclusive", "model_unreliable")
    assert outcome(PLAN, _usual(wrong, direct=sampled(*[says("No.")] * 3, task=TOOL_TASK))) == (
        "failed",
        "tool_call_invalid",
    )


def test_a_sample_is_held_to_its_own_nonce():
    """A model that cuts every value short misses every time, whatever the nonce."""
    short = calls(_call('{"code": "7f3a", "count": 3}'))
    direct = sampled(*[calls(_call('{"code": "00c0", "count": 3}'))] * 3, task=TOOL_TASK)
    assert outcome(PLAN, _usual(short, direct=direct)) == ("failed", "tool_call_invalid")


def test_an_argument_that_the_tool_does_not_declare_is_invalid():
    """A schema that does not forbid others does not invite them."""
    open_schema = {k: v for k, v in SCHEMA.items() if k != "additionalProperties"}
    expected = ExpectedCall("look_up", {"code": NONCE, "count": 3}, open_schema)
    task = replace(TOOL_TASK, expect=replace(TOOL_TASK.expect, calls=(expected,)))
    more = usual(
        calls(_call(f'{{"code": "{NONCE}", "count": 3, "force": true}}')), own=calls(), task=task
    )
    assert outcome(plan(task=task), more) == ("failed", "tool_call_invalid")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("<tool_call>", "tool_call_leaked"),
        ("Done.<|im_end|>", "answer_degraded"),
        ("<|channel>thought\nHm.<channel|>", "answer_degraded"),
        ("<thinking>Hm.</thinking>", "answer_degraded"),
    ],
)
def test_markup_beside_the_call_is_a_leak(text, kind):
    """A parser that takes the call and leaves its tags shows them to people; so with thoughts."""
    both = _usual(calls(text=text))
    assert outcome(PLAN, both) == ("failed", kind)
    assert where(PLAN, both) == "hop"
    assert where(PLAN, _usual(calls(text=text), own=calls())) == "gateway"
    assert outcome(PLAN, _usual(calls(text="I shall call look_up now."))) == PASSED


def test_a_call_again_where_an_answer_was_asked_for_is_wrong():
    """A model that calls the tool whose result it has goes round in circles."""
    task = replace(TOOL_TASK, expect=Expectation(needle=NONCE))
    again = calls(text=f"The code is {NONCE}.")
    direct = sampled(*[again] * 3, task=task)
    judged = usual(again, task=task, direct=direct)
    assert outcome(plan(task=task), judged) == ("failed", "tool_call_invalid")
    assert where(plan(task=task), judged) == "model"
    ok = usual(says(f"The code is {NONCE}."), task=task)
    assert outcome(plan(task=task), ok) == PASSED


def test_calls_of_a_stream_need_a_place_each():
    """Clients put fragments together by their index: two calls with one are one broken call."""
    shared = calls(defects=(DefectFound(Defect.SHARED_INDEX, "call 0 begins twice"),))
    assert outcome(PLAN, _usual(shared)) == ("failed", "tool_call_invalid")
    assert where(PLAN, _usual(shared)) == "hop"
    assert where(PLAN, _usual(shared, own=calls())) == "gateway"


def test_a_missing_id_is_the_hops_where_its_own_format_has_one():
    """The hop's reader has noted it."""
    bare = calls(_call(id_=None), defects=(DefectFound(Defect.MISSING_CALL_ID, "call 0"),))
    assert where(PLAN, _usual(bare)) == "hop"
    assert outcome(PLAN, _usual(calls(), own=bare)) == PASSED


def test_a_call_needs_an_id_for_the_client_only():
    """Some providers' own replies have no ids; a client cannot answer a call without one."""
    bare = calls(_call(id_=None))
    assert outcome(PLAN, _usual(calls(), own=bare)) == PASSED
    assert outcome(PLAN, _usual(bare)) == ("failed", "tool_call_invalid")


def test_two_calls_need_two_ids():
    """Calls that share an id cannot be answered one by one."""
    second = _call(f'{{"code": "{NONCE}", "count": 4}}')
    two = plan(task=TWO)
    apart = calls(CALL, replace(second, id="call_2"))
    assert outcome(two, _usual(apart)) == PASSED
    assert outcome(two, _usual(calls(CALL, second), own=apart)) == ("failed", "tool_call_invalid")


def test_one_of_two_calls_is_missing():
    """Parallel calls are all demanded."""
    second = _call(f'{{"code": "{NONCE}", "count": 4}}', id_="call_2")
    assert outcome(plan(task=TWO), _usual(calls(), own=calls(CALL, second))) == (
        "failed",
        "tool_call_missing",
    )


def test_fragments_without_a_call_break_the_client():
    """Arguments that no call claims are lost."""
    loose = calls(defects=(DefectFound(Defect.ORPHAN_FRAGMENT, "index 1"),))
    assert outcome(PLAN, _usual(loose, own=calls())) == ("failed", "tool_call_invalid")


def test_a_half_call_that_was_repaired_is_invalid():
    """Closing the JSON of a cut call makes up arguments that the model never gave."""
    half = _call(f'{{"code": "{NONCE}", "count": 3')
    mid_call = plan(
        task=TOOL_TASK, phase=Phase.AFTER_FIRST_BYTE, fault="tool_call_cut", stream=True
    )
    broken = faulted(
        task=TOOL_TASK,
        stream=True,
        status=200,
        whole=False,
        reply=cut("", tool_calls=(half,)),
    )
    kinds = {f.kind for f in verdict(mid_call, seen(broken, reply=got(calls()))).findings}
    assert {"truncated_reply", "tool_call_invalid"} <= kinds


def test_a_stand_in_without_a_call_was_not_asked_for_one():
    """Our own stand-in always calls, so a missing call is the gateway's doing."""
    stood_in = seen(
        faulted(task=TOOL_TASK),
        record("gemma", AttemptOutcome.STOOD_IN, task=TOOL_TASK, reply=says()),
    )
    assert where(PLAN, stood_in) == "gateway"


def test_arguments_that_ran_out_of_tokens_need_samples():
    """A length is the model's, not the parser's."""
    short = calls(_call('{"code": "7f3'))
    short = replace(short, finish=Finish.LENGTH)
    assert outcome(PLAN, _usual(short)) == ("inconclusive", "model_unreliable")


def test_a_structured_answer_left_as_a_tool_call_is_the_gateways():
    """A schema that was handed on as a forced call has to be unwrapped again."""
    wrapped = calls(_call(name="json_tool_call"))
    left = usual(wrapped, task=STRUCTURE_TASK)
    assert outcome(plan(task=STRUCTURE_TASK), left) == ("failed", "tool_call_invalid")
    assert where(plan(task=STRUCTURE_TASK), left) == "gateway"
