"""Readings become a standing: after enough of them, and never by one that could not tell."""

from datetime import timedelta

import pytest

from supervisor.probes.probe import Cadence, Part, PartKind, ProbeReading, State
from supervisor.probes.standing import Change, Standing, step, unseen
from tests.fakes.manual_clock import NOON

ENGINE = Part(PartKind.ENGINE, "gemma")
CADENCE = Cadence(failing=2, recovering=3)


def taken(*states: State) -> tuple[Standing, list[Change]]:
    """Take one reading a second."""
    standing, changes = unseen(ENGINE, NOON), []
    for second, state in enumerate(states):
        reading = ProbeReading(ENGINE, state, f"{state} at {second}", facts={"second": second})
        now = NOON + timedelta(seconds=second)
        standing, change = step(standing, reading, CADENCE, now, 0.5)
        if change is not None:
            changes.append(change)
    return standing, changes


def test_the_first_good_look_counts_at_once():
    """What answers well is up from its first look on."""
    standing, changes = taken(State.UP)
    assert (standing.state, standing.up, standing.since) == (State.UP, True, NOON)
    assert [(c.was, c.state) for c in changes] == [(State.UNKNOWN, State.UP)]


def test_one_bad_look_changes_nothing():
    """A part is called down only after as many looks in a row as its cadence asks for."""
    standing, changes = taken(State.UP, State.DOWN, State.UP, State.DOWN)
    assert standing.state is State.UP
    assert len(changes) == 1
    assert (standing.seen, standing.doubt, standing.doubted) == (State.DOWN, State.DOWN, 1)


def test_a_change_dates_from_the_first_look_that_saw_it():
    """It was down from the first of the looks that found it so, not from the confirming one."""
    standing, changes = taken(State.UP, State.DOWN, State.DOWN)
    assert standing.state is State.DOWN
    assert not standing.up
    assert standing.since == NOON + timedelta(seconds=1)
    assert changes[-1].noticed_at == NOON + timedelta(seconds=2)
    assert standing.reason == "down at 2"


def test_hung_and_down_confirm_each_other():
    """Looks that find it dead in different ways are in a row all the same."""
    standing, _ = taken(State.UP, State.HUNG, State.DOWN)
    assert standing.state is State.DOWN
    assert standing.since == NOON + timedelta(seconds=1)


def test_drifted_is_no_first_look_of_down():
    """One refused connection does not make a drifted engine dead."""
    standing, _ = taken(State.UP, State.DRIFTED, State.DRIFTED, State.DOWN)
    assert standing.state is State.DRIFTED
    assert standing.up


def test_recovery_takes_several_good_looks():
    """A part that comes up for a moment is not called well."""
    assert taken(State.DOWN, State.DOWN, State.UP, State.UP)[0].state is State.DOWN
    standing, changes = taken(State.DOWN, State.DOWN, State.UP, State.BUSY, State.UP)
    assert standing.state is State.UP
    assert [c.state for c in changes] == [State.DOWN, State.UP]


@pytest.mark.parametrize("known", [State.UP, State.DOWN, State.DRIFTED])
def test_a_look_that_could_not_tell_changes_nothing(known: State):
    """What was known holds while nobody can tell; what the look saw is shown all the same."""
    standing, _ = taken(known, known, *[State.UNKNOWN] * 5)
    assert standing.state is known
    assert (standing.seen, standing.seen_reason) == (State.UNKNOWN, "unknown at 6")
    assert standing.reason == f"{known} at 1"


def test_looks_that_could_not_tell_do_not_break_a_row():
    """Two bad looks with silence between them are two bad looks in a row."""
    assert taken(State.UP, State.DOWN, State.UNKNOWN, State.DOWN)[0].state is State.DOWN


def test_among_good_states_every_look_counts():
    """Busy and slow are reported as they come."""
    _, changes = taken(State.UP, State.BUSY, State.SLOW, State.UP)
    assert [c.state for c in changes] == [State.UP, State.BUSY, State.SLOW, State.UP]


def test_facts_outlive_looks_that_learnt_none():
    """What was learnt last holds until something else is learnt."""
    standing, _ = taken(State.UP)
    later, _ = step(standing, ProbeReading(ENGINE, State.DOWN, "gone"), CADENCE, NOON, 0.1)
    assert later.facts == {"second": 0}
