"""One snapshot advances the alerts of one rule, and every decision has a reason."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from supervisor.alerts.rule import Condition
from supervisor.alerts.step import step
from supervisor.store.alerts.records import AlertState, Phase, Reason
from tests.fakes.alerts import EMPTY, policy, rule
from tests.fakes.manual_clock import NOON

CLAUDE = Condition({"group": "claude"}, NOON, "claude is broken")
GPT = Condition({"group": "gpt"}, NOON, "gpt is broken")
MINUTE = timedelta(minutes=1)


def told(*looks, told_as=None, **options):
    """Look once a minute; gives the states that are left, and (minute, reason) of what was told.

    Args:
        looks: The conditions of each look.
        told_as: By minute, the policy that holds then.
    """
    states: dict[str, AlertState] = {}
    changes = []
    for minute, conditions in enumerate(looks):
        holding = (told_as or {}).get(minute) or policy(**options)
        after, new = step(rule(conditions), holding, states, EMPTY, NOON + minute * MINUTE)
        states = {one.fingerprint: one for one in after if one.phase is not Phase.RESOLVED}
        changes += [(minute, change) for change in new]
    return states, changes


def reasons(changes):
    """Show when what was told, and why."""
    return [(minute, change.reason.value) for minute, change in changes]


def test_what_holds_is_told_at_once_and_once():
    """The first look tells it, the next ones do not."""
    states, changes = told([CLAUDE], [CLAUDE], [CLAUDE])
    assert reasons(changes) == [(0, "first")]
    (state,) = states.values()
    assert (state.phase, state.reason) == (Phase.FIRING, Reason.NOTHING)


def test_a_second_one_is_new_beside_the_first():
    """It is told alone: what fires already is not sent again."""
    _, changes = told([CLAUDE], [CLAUDE, GPT])
    assert reasons(changes) == [(0, "first"), (1, "new")]
    assert changes[1][1].labels["group"] == "gpt"


def test_what_is_over_is_resolved_once():
    """With its end, and the labels with which it fired."""
    states, changes = told([CLAUDE], [], [])
    assert reasons(changes) == [(0, "first"), (1, "resolved")]
    resolved = changes[1][1]
    assert not resolved.firing
    assert resolved.ends_at == NOON + MINUTE
    assert resolved.labels == changes[0][1].labels
    assert states == {}


def test_a_condition_must_hold_for_its_time():
    """What is over before that is told to nobody, and begins anew afterwards."""
    states, changes = told([CLAUDE], [], [CLAUDE], [CLAUDE], [CLAUDE], hold=2 * MINUTE)
    assert reasons(changes) == [(4, "first")]
    assert len(states) == 1


def test_a_reminder_comes_after_its_interval_and_not_before():
    """Counted from when it was told last."""
    _, changes = told(*[[CLAUDE]] * 8, remind_every=3 * MINUTE)
    assert reasons(changes) == [(0, "first"), (3, "repeat"), (6, "repeat")]


def test_what_changes_while_it_holds_resolves_nothing():
    """Another kind of failure is another annotation of the same alert."""
    other = Condition({"group": "claude"}, NOON, "claude is broken otherwise")
    states, changes = told([CLAUDE], [other])
    assert reasons(changes) == [(0, "first")]
    (state,) = states.values()
    assert state.annotations["summary"] == "claude is broken otherwise"


def test_a_snapshot_that_cannot_tell_leaves_an_alert_as_it_is():
    """It neither begins nor ends by that; a reminder still comes."""
    unknown = Condition({"group": "claude"}, holds=False)
    states, changes = told([unknown], [CLAUDE], [unknown], [unknown])
    assert reasons(changes) == [(1, "first")]
    assert [state.phase for state in states.values()] == [Phase.FIRING]


def test_a_rule_that_cannot_be_judged_changes_nothing():
    """A gateway that is down silences its paths: nothing fires, and nothing is resolved."""
    (state,) = told([CLAUDE])[0].values()
    blind = rule([], unjudged=lambda _: True)
    after, changes = step(blind, policy(), {state.fingerprint: state}, EMPTY, NOON + MINUTE)
    assert (after, changes) == ([state], [])


def test_it_began_when_the_condition_says_so():
    """Not when it was noticed, and never later than was known before."""
    earlier = Condition({"group": "claude"}, NOON - timedelta(hours=1), "x")
    later = Condition({"group": "claude"}, NOON + timedelta(hours=1), "x")
    states, changes = told([earlier], [later])
    assert changes[0][1].starts_at == NOON - timedelta(hours=1)
    assert [state.starts_at for state in states.values()] == [NOON - timedelta(hours=1)]


def test_a_silence_keeps_it_from_people_and_its_end_tells_it():
    """What is still so when the silence ends is told then, as new."""
    quiet = policy(silence="a new driver")
    _, changes = told([CLAUDE], [CLAUDE], [CLAUDE], told_as={0: quiet, 1: quiet})
    assert reasons(changes) == [(0, "first"), (2, "new")]
    assert [change.silence for _, change in changes] == ["a new driver", None]


def test_who_has_not_heard_that_it_fired_does_not_hear_that_it_is_over():
    """A resolve of something unheard of only puzzles."""
    quiet = policy(silence="a new driver")
    _, changes = told([CLAUDE], [], told_as={0: quiet})
    assert reasons(changes) == [(0, "first"), (1, "resolved")]
    assert changes[1][1].silence == "nobody was told that it fired"


def test_a_silence_that_begins_later_keeps_reminders_and_the_resolve_to_itself():
    """Nobody is told of anything while it holds."""
    quiet = policy(silence="lunch", remind_every=MINUTE)
    _, changes = told([CLAUDE], [CLAUDE], [], told_as={1: quiet, 2: quiet})
    assert reasons(changes) == [(0, "first"), (2, "resolved")]
    assert changes[1][1].silence == "lunch"


def test_every_change_has_an_id_of_its_own():
    """Each notifier and each try carries it."""
    ids = policy().new_id
    _, changes = step(rule([CLAUDE, GPT]), policy(new_id=ids), {}, EMPTY, NOON)
    assert len({change.id for change in changes}) == 2


def test_the_runbook_is_named_after_the_alert():
    """Whoever is woken finds what to do."""
    _, changes = told([CLAUDE])
    assert changes[0][1].annotations["runbook_url"] == "docs/alerts.md#fallbackbroken"


@given(st.lists(st.sets(st.sampled_from("abc")), max_size=30))
def test_firing_and_resolved_take_turns_for_each_alert(looks):
    """Nothing is resolved that did not fire, and what holds at the end fires."""
    conditions = [[Condition({"group": name}, NOON, name) for name in look] for look in looks]
    states, changes = told(*conditions)
    by_group: dict[str, list[bool]] = {}
    for _, change in changes:
        by_group.setdefault(change.labels["group"], []).append(change.firing)
    for firing in by_group.values():
        assert firing == [n % 2 == 0 for n in range(len(firing))]
    assert {state.labels["group"] for state in states.values()} == (looks[-1] if looks else set())
