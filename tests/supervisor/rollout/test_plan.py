"""All that is known before a swap."""

import pytest

from supervisor.rollout.changes import changes_of, effective_of
from supervisor.rollout.checks import findings_of
from supervisor.rollout.facts import Memory
from supervisor.rollout.finding import Answer
from supervisor.rollout.meanwhile import Cover, GroupCover
from supervisor.rollout.plan import OWN_S, plan_of
from tests.fakes.rollouts import facts, rollout_file, stopped

CHAIN = ("gemma", "qwen")
PROVEN = GroupCover("gemma", CHAIN, Cover.PROVEN, "qwen", "2 drills passed")
NOBODY = GroupCover("gemma", ("gemma",), Cover.NOBODY, None, "it has no fallback")
UNKNOWN = GroupCover("gemma", CHAIN, Cover.UNKNOWN, "qwen", "not proven: halted")
PRIMARY = GroupCover("claude", ("claude", "gemma"), Cover.PRIMARY, "claude", "it is before it")


def test_a_plan_holds_what_each_part_says():
    """Nothing is judged anew."""
    known = facts()
    plan = plan_of(known, [PROVEN])
    assert (plan.changes, plan.effective) == (changes_of(known), effective_of(known))
    assert (plan.findings, plan.covers) == (findings_of(known), (PROVEN,))
    assert [one.what for one in plan.changes] == ["image"]


def test_a_healthy_plan_refuses_nothing_and_wants_no_acceptance():
    """It can be staged as it is."""
    plan = plan_of(facts(), [PROVEN, PRIMARY])
    assert (plan.refused, plan.warnings, plan.uncovered) == ((), (), ())
    assert not plan.needs_acceptance


def test_what_is_refused_and_what_is_warned_of_are_told_apart():
    """By their answers alone."""
    plan = plan_of(facts(old=stopped(), image=None, memory=Memory(128 << 30, 110 << 30)), [PROVEN])
    assert [one.check for one in plan.refused] == ["image"]
    assert [one.check for one in plan.warnings] == ["container"]
    rest = {one.answer for one in plan.findings} - {Answer.REFUSED, Answer.WARNING}
    assert rest == {Answer.OK}


@pytest.mark.parametrize(
    ("covers", "uncovered"),
    [
        ([PROVEN, NOBODY], (NOBODY,)),
        ([UNKNOWN], (UNKNOWN,)),
        ([PROVEN, PRIMARY], ()),
        ([], ()),
    ],
    ids=["nobody", "not known", "covered", "no group needs it"],
)
def test_users_without_an_answer_want_acceptance(covers, uncovered):
    """Their groups are named."""
    plan = plan_of(facts(), covers)
    assert plan.uncovered == uncovered
    assert plan.needs_acceptance is bool(uncovered)


def test_what_was_not_asked_wants_acceptance():
    """Nobody knows who serves meanwhile."""
    plan = plan_of(facts(), None, "--no-drills")
    assert (plan.covers, plan.uncovered, plan.why_not_asked) == (None, (), "--no-drills")
    assert plan.needs_acceptance


@pytest.mark.parametrize(
    ("start_s", "away_s"), [(185.0, 185.0 + OWN_S), (None, None)], ids=["known", "not known"]
)
def test_how_long_it_is_away_follows_from_its_last_start(start_s, away_s):
    """And is not made up."""
    assert plan_of(facts(start_s=start_s), []).away_s == away_s


def test_how_long_it_takes_at_most_is_the_sum_of_its_phases():
    """What is done before the old one stops is no part of it."""
    limits = {"drain": "1s", "stop": "10s", "memory": "100s", "start": "1000s", "render": "9m"}
    assert plan_of(facts(file=rollout_file(limits=limits)), []).most_s == 1111.0
