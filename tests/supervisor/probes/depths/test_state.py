"""From what was seen to a state: the rules, and their order."""

from dataclasses import replace

import pytest

from supervisor.engine.facts import EngineFacts
from supervisor.engine.metrics import Vitals
from supervisor.probes.depths.ask import Asked, Trouble
from supervisor.probes.depths.seen import Generation, Limits, Seen
from supervisor.probes.depths.state import judge
from supervisor.probes.probe import MEANINGS, State

LIMITS = Limits()
FACTS = EngineFacts("gemma", "http://e", ("g",), names=("g",))
OK = Asked(200, '{"choices": [{"message": {"content": "x"}}]}')
EMPTY = Asked(200)
BROKEN = Asked(None, trouble=Trouble.BROKEN, problem="no whole answer")
DIED = Asked(500, '{"error": {"message": "EngineCore encountered an issue. See stack trace"}}')
FAILED = Asked(500, '{"error": {"message": "the template has no end"}}')
SILENT = Asked(None, trouble=Trouble.SILENT, problem="no answer within 10 s", took_s=10)
REFUSED = Asked(None, trouble=Trouble.REFUSED, problem="cannot be reached")
NAMELESS = Asked(None, trouble=Trouble.NAMELESS, problem="gpu has no address here")
STILL = Vitals(steps=7, running=0, waiting=0)
LATER = Vitals(steps=9, running=1, waiting=0)


def seen(**changes):
    """A look at an engine that is well, but for *changes*."""
    well = Seen(
        FACTS,
        health=OK,
        models=OK,
        metrics=OK,
        vitals=LATER,
        generation=Generation(replace(OK, took_s=0.1), STILL, LATER),
    )
    return replace(well, **changes)


def state(look, previous=None):
    """Its state alone."""
    return judge(look, previous, LIMITS)[0]


def test_every_state_has_a_meaning():
    """What a state means stands beside it, for each."""
    assert {*MEANINGS} == {*State}


@pytest.mark.parametrize(
    ("look", "expected"),
    [
        (seen(), State.UP),
        (seen(generation=None), State.UP),
        (seen(health=REFUSED, models=None, metrics=None, generation=None), State.DOWN),
        (seen(health=REFUSED, models=REFUSED, metrics=REFUSED), State.DOWN),
        (seen(health=SILENT), State.SLOW),
        (seen(health=Asked(404)), State.SLOW),
        (seen(health=Asked(503)), State.DOWN),
        (seen(generation=Generation(SILENT, STILL, STILL)), State.HUNG),
        (seen(generation=Generation(SILENT, STILL, STILL), health=SILENT), State.HUNG),
        (seen(generation=Generation(SILENT, STILL, LATER)), State.SLOW),
        (seen(generation=Generation(SILENT, STILL, replace(LATER, waiting=2))), State.BUSY),
        (seen(generation=Generation(OK, STILL, replace(LATER, waiting=2))), State.BUSY),
        (seen(generation=None, vitals=replace(LATER, waiting=1)), State.BUSY),
        (seen(generation=Generation(replace(OK, took_s=5), STILL, LATER)), State.SLOW),
        (seen(generation=Generation(Asked(429), STILL, LATER)), State.UNKNOWN),
        (seen(generation=Generation(SILENT, Vitals(), Vitals())), State.UNKNOWN),
        (seen(facts=replace(FACTS, asked_for=("h",))), State.DRIFTED),
        # What came instead of a token.
        (seen(generation=Generation(EMPTY, STILL, LATER)), State.UNKNOWN),
        (seen(generation=Generation(DIED, STILL, STILL)), State.DOWN),
        (seen(generation=Generation(FAILED, STILL, STILL)), State.UNKNOWN),
        (seen(generation=Generation(REFUSED, STILL, Vitals())), State.DOWN),
        (seen(generation=Generation(BROKEN, STILL, Vitals())), State.UNKNOWN),
        # What was asked besides.
        (seen(metrics=SILENT), State.SLOW),
        (seen(tools=SILENT), State.SLOW),
        (seen(facts=replace(FACTS, names=())), State.UNKNOWN),
        (seen(health=Asked(503, "<html>")), State.SLOW),
        # Nothing but its health was asked.
        (Seen(FACTS, EMPTY), State.UP),
        (Seen(FACTS, Asked(200, "<html>")), State.UNKNOWN),
        (Seen(FACTS, Asked(401)), State.UNKNOWN),
        (Seen(FACTS, NAMELESS), State.UNKNOWN),
        # Requests in its hands, and no token was asked for.
        (seen(generation=None, vitals=replace(LATER, waiting=1), moved=True), State.BUSY),
        (seen(generation=None, vitals=replace(LATER, waiting=1), moved=False), State.UNKNOWN),
        (seen(generation=None, moved=False), State.UNKNOWN),
        # It stood still for a while, and then a token came.
        (seen(moved=False), State.UP),
    ],
)
def test_what_was_seen_decides(look, expected):
    """Each thing that can be seen leads to its state."""
    assert state(look) is expected


def test_a_hung_engine_that_also_drifted_is_hung():
    """The worst is told first."""
    look = seen(generation=Generation(SILENT, STILL, STILL))
    assert state(look, replace(FACTS, version="0.31.0")) is State.HUNG


def test_requests_in_its_hands_are_told():
    """The load of a hung engine is part of the reason."""
    look = seen(generation=Generation(SILENT, STILL, STILL, load=3))
    assert "3 request(s) in its hands" in judge(look, None, LIMITS)[1]


def test_a_drifted_engine_under_load_is_drifted():
    """Being busy hides no drift."""
    look = seen(
        facts=replace(FACTS, version="0.32.0"),
        generation=Generation(OK, STILL, replace(LATER, waiting=2)),
    )
    assert state(look, replace(FACTS, version="0.31.0")) is State.DRIFTED


def test_a_connection_that_broke_once_is_slow_not_down():
    """One request whose connection broke, over an engine that answers all else, is no death."""
    assert state(seen(generation=Generation(BROKEN, STILL, LATER))) is State.SLOW


def test_an_engine_that_refuses_is_not_said_to_work():
    """Drifted means that it works; one that refuses a token is not known to."""
    look = seen(generation=Generation(FAILED, STILL, STILL))
    assert state(look, replace(FACTS, version="0.31.0")) is State.UNKNOWN


A, B = (("g",), "/a", (("g", 8),)), (("g",), "/b", (("g", 8),))
"""What two engines serve."""


@pytest.mark.parametrize(
    ("starts", "identities", "several"),
    [
        ((), (), False),
        ((100, 100, 100), (A, A), False),
        ((100, 200, 200), (A, A), False),
        ((100, 100, 200), (A, B, B), False),
        ((100, 200, 300), (), False),
        ((100, 200, 200, 100, 200, 200), (), True),
        ((200, 100), (), True),
        ((100, 200), (A, B, A), True),
        ((), (A, A, B), True),
        ((100, 100), (A, B), True),
    ],
)
def test_a_restart_is_told_from_two_engines(starts, identities, several):
    """A restart goes from one process to a later one; who goes back, or changes alone, is two."""
    found, reason = judge(seen(starts=starts, identities=identities), None, LIMITS)
    assert (found is State.UNKNOWN, "two engines" in reason) == (several, several)


@pytest.mark.parametrize(("keyed", "says"), [(False, "a key:"), (True, "not the one")])
def test_a_missing_key_is_told_from_a_wrong_one(keyed, says):
    """Who gave a key need not be told to give one."""
    found, reason = judge(seen(models=Asked(401), keyed=keyed), None, LIMITS)
    assert found is State.UNKNOWN
    assert says in reason
