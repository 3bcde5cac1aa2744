"""What differs between a hop's reply and what the client got."""

from dataclasses import replace

import pytest

from chaos.judge.check import Kind
from chaos.judge.reply_changes import changes
from chaos.protocol.conversation import Finish, ToolCall
from chaos.protocol.reading import Usage
from tests.fakes.observations import CALL, calls, says

OWN = says("The lamp is lit again.", finish=Finish.STOP)
CALLED = calls(CALL)


def kinds(client, own=OWN, *, structured=False):
    """The kinds of what differs."""
    return [change.kind for change in changes(client, own, structured=structured)]


def text(words, **fields):
    """The same reply in other words."""
    return replace(OWN, text=words, **fields)


@pytest.mark.parametrize(
    ("client", "kind"),
    [
        (text("The lamp is out again."), Kind.ANSWER_DEGRADED),
        (text("The lamp is lit"), Kind.TRUNCATED_REPLY),
        (text("The lamp lit"), Kind.ANSWER_DEGRADED),
        (text("The lamp is lit again.The lamp is lit again."), Kind.SPLICED_REPLY),
        (text("The lamp is is lit again."), Kind.ANSWER_DEGRADED),
        (replace(OWN, tool_calls=(CALL,)), Kind.TOOL_CALL_INVALID),
        (replace(OWN, finish=Finish.LENGTH), Kind.ANSWER_DEGRADED),
    ],
)
def test_a_changed_text_is_a_change(client, kind):
    """A word, a quarter of the chunks, the end, a chunk twice, a call from nowhere."""
    assert kinds(client) == [kind]


@pytest.mark.parametrize(
    ("own", "client", "kind"),
    [
        (Finish.LENGTH, Finish.STOP, Kind.TRUNCATED_REPLY),
        (Finish.CONTENT_FILTER, Finish.STOP, Kind.ANSWER_DEGRADED),
    ],
)
def test_why_it_ended_is_part_of_the_answer(own, client, kind):
    """A client that is told ``stop`` does not ask for the rest."""
    assert kinds(replace(OWN, finish=client), replace(OWN, finish=own)) == [kind]


def test_calls_that_are_reported_as_a_plain_end_are_never_run():
    """An agent's loop looks at the finish reason."""
    own = replace(CALLED, finish=Finish.TOOL_CALLS)
    assert kinds(replace(own, finish=Finish.STOP), own) == [Kind.TOOL_CALL_INVALID]
    # The other way round the gateway puts right what the hop left out.
    assert kinds(own, replace(own, finish=Finish.STOP)) == []


@pytest.mark.parametrize(
    "changed",
    [
        replace(CALL, name="other"),
        replace(CALL, arguments="{}"),
        replace(CALL, id="call_other"),
    ],
)
def test_a_changed_call_is_invalid(changed):
    """Its name, its arguments, its id."""
    assert kinds(calls(changed), CALLED) == [Kind.TOOL_CALL_INVALID]


def test_calls_keep_their_number_and_order():
    """Two that change places are two other calls."""
    one, two = CALL, ToolCall("call_2", "start_timer", '{"minutes": 3}')
    assert kinds(calls(one, two), calls(one, two)) == []
    assert kinds(calls(one), calls(one, two)) == [Kind.TOOL_CALL_INVALID]
    assert set(kinds(calls(two, one), calls(one, two))) == {Kind.TOOL_CALL_INVALID}


def test_embeddings_keep_their_number_and_size():
    """One vector fewer, or a shorter one, poisons an index."""
    one, other = (0.5, -0.25, 1.0), (0.125, 1.0, 0.0)
    own = replace(OWN, text="", vectors=(one, other))
    for came in ((one,), (one, other[:2]), (other, one), (one, one), (one, (0.125, 1.0, 0.1))):
        assert kinds(replace(own, vectors=came), own) == [Kind.ANSWER_DEGRADED]
    rounded = (one, (0.1250001, 1.0, 0.0))
    assert kinds(replace(own, vectors=rounded), own) == []
    assert kinds(own, own) == []


def test_usage_is_what_the_hop_counted():
    """Bills and budgets are made of it; where one side does not say nothing follows."""
    own = replace(OWN, usage=Usage(10, 20))
    assert kinds(replace(own, usage=Usage(10, 21)), own) == [Kind.ANSWER_DEGRADED]
    assert kinds(replace(own, usage=Usage(None, 20)), own) == [Kind.ANSWER_DEGRADED]
    assert kinds(own, replace(own, usage=Usage(None, 20))) == []
    assert kinds(replace(own, usage=None), own) == []


def test_what_a_gateway_rightly_makes_anew_is_no_change():
    """White space, JSON written anew, reasoning markup, an id that the hop did not give."""
    assert kinds(text("The  lamp\nis lit again. ")) == []
    assert kinds(text("<think>Hm.</think>The lamp is lit again.")) == []
    spaced = replace(CALL, arguments=CALL.arguments.replace(":", " : "))
    assert kinds(calls(spaced), CALLED) == []
    assert kinds(CALLED, calls(replace(CALL, id=None))) == []


def test_a_schema_that_was_answered_as_a_forced_call_is_the_same_answer():
    """LiteLLM asks some providers for structure by a tool, and unwraps its arguments."""
    own = calls(ToolCall("call_1", "json_tool_call", '{"city": "Riga"}'))
    client = replace(OWN, text='{"city": "Riga"}')
    assert kinds(client, own, structured=True) == []
    assert kinds(replace(client, text='{"city": "Oslo"}'), own, structured=True) != []
    assert kinds(client, own) != []


def test_cached_and_thought_tokens_may_be_counted_on_either_side():
    """Anthropic counts what a cache held apart, Google its thoughts; LiteLLM adds and subtracts."""
    own = replace(OWN, usage=Usage(1500, 8, cached_tokens=1472))
    assert kinds(replace(own, usage=Usage(28, 8)), own) == []
    assert kinds(replace(own, usage=Usage(29, 8)), own) == [Kind.ANSWER_DEGRADED]
    thinking = replace(OWN, usage=Usage(10, 8, reasoning_tokens=100))
    assert kinds(replace(thinking, usage=Usage(10, 108, reasoning_tokens=100)), thinking) == []
    assert kinds(replace(thinking, usage=Usage(10, 109)), thinking) == [Kind.ANSWER_DEGRADED]


def test_a_thought_s_signature_may_follow_the_id_of_a_call():
    """LiteLLM carries it there, so that it comes back with the result."""
    call = ToolCall("fc1", "look_up", "{}")
    own = replace(OWN, text="", tool_calls=(call,))
    signed = replace(own, tool_calls=(replace(call, id="fc1__thought__c2ln"),))
    assert kinds(signed, own) == []
    assert kinds(replace(own, tool_calls=(replace(call, id="fc2"),)), own) == [
        Kind.TOOL_CALL_INVALID
    ]


def test_reasoning_that_both_tell_is_the_same():
    """A thought is signed by its words; one that a format has no place for may be gone."""
    own = replace(OWN, reasoning="Is it lit?\n\nIt is.")
    assert kinds(replace(own, reasoning="Is it lit? It is."), own) == []
    assert kinds(OWN, own) == []
    assert kinds(replace(own, reasoning="Is it out? It is."), own) == [Kind.ANSWER_DEGRADED]


WRAPPED = replace(CALLED, finish=Finish.TOOL_CALLS, usage=Usage(7, 9))
UNWRAPPED = text(CALL.arguments, finish=Finish.STOP, usage=Usage(7, 9))


def test_a_schema_that_was_handed_on_as_a_call_may_come_back_as_text():
    """The call's end became a plain one, and nothing else changed."""
    assert kinds(UNWRAPPED, WRAPPED, structured=True) == []


@pytest.mark.parametrize(
    ("own", "kind"),
    [
        ({"finish": Finish.LENGTH}, Kind.TRUNCATED_REPLY),
        ({"finish": Finish.CONTENT_FILTER}, Kind.ANSWER_DEGRADED),
        ({"usage": Usage(7, 999)}, Kind.ANSWER_DEGRADED),
    ],
)
def test_an_unwrapped_call_hides_nothing_else(own, kind):
    """Why it ended and what it cost are told as the hop told them."""
    assert kinds(UNWRAPPED, replace(WRAPPED, **own), structured=True) == [kind]


def test_json_written_anew_is_the_same_answer():
    """Spaces are the gateway's; a value is not."""
    own = text('{"token":"a","ok":true}')
    assert kinds(text('{"token": "a", "ok": true}'), own, structured=True) == []
    assert kinds(text('{"token": "a", "ok": 1}'), own, structured=True) == [Kind.ANSWER_DEGRADED]
    assert kinds(text('{"token": "a", "ok": true}'), own) == [Kind.ANSWER_DEGRADED]
