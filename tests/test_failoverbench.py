"""failoverbench's scenarios as data, and its scoring; the run itself takes minutes, by hand."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from benchmarks.failoverbench.run import configuration, scenarios
from benchmarks.failoverbench.scoring import CHECKS, Scenario, score
from chaos.drill.drill import Drill
from chaos.faults.kinds import parse_fault
from chaos.judge.verdict import Outcome, Verdict
from chaos.protocol.stand_in import compose
from tests.fakes.observations import (
    CHAT,
    errored,
    fails,
    faulted,
    got,
    plan,
    refused,
    says,
    seen,
    served,
)

WHOLE = says(compose(CHAT.ask).text)
ALL = scenarios()


def drill(observation):
    """Make a drill of the usual plan that saw this."""
    verdict = Verdict(Outcome.PASSED, None, ())
    return Drill(plan(stream=True), verdict, observation, datetime.now(UTC))


def scored(observation, **changes):
    """Score it by a scenario that checks what *changes* says."""
    scenario = replace(Scenario("S00", "Some", "billing", {}), **changes)
    return score(scenario, drill(observation))


def answered(*attempts, reading=WHOLE, **changes):
    """Observe an answer of the fallback after attempts at the primary."""
    return seen(*attempts, served(reply=reading), reply=got(reading), **changes)


def at(second):
    """Make an attempt at the primary that failed."""
    return faulted(started_at_s=second, ended_at_s=second)


def test_there_are_sixteen_and_each_is_one_of_our_faults():
    """In the order of the original, with checks that exist and a published verdict."""
    assert [one.id for one in ALL] == [f"S{n:02}" for n in range(1, 17)]
    for one in ALL:
        assert str(parse_fault(one.fault)[1]) == one.fault
        assert {*one.checks, *one.advisory} <= CHECKS.keys()
        assert one.published["verdict"] in {"pass", "partial", "safe"}


def test_every_scenario_has_a_group_and_a_fallback():
    """One of the fallbacks refuses a prefill."""
    made = configuration(ALL)
    names = [row["model_name"] for row in made["model_list"]]
    assert names == [*(one.id for one in ALL), "ok", "ok-noprefill"]
    assert {"S14": ["ok-noprefill"]} in made["router_settings"]["fallbacks"]


def test_a_whole_answer_is_a_pass_and_a_missed_wish_makes_it_partial():
    """A missed need makes it a failure."""
    came = answered(at(0), at(1.0))
    assert scored(came).verdict == "pass"
    assert scored(came, advisory={"attempts_at_most": 1}).verdict == "partial"
    assert scored(came, checks={"attempts_at_most": 1}).verdict == "fail"
    assert scored(came).attempts == "2p/1f"
    assert scored(came).pause_s == 1.0


def test_an_honest_error_is_safe_unless_it_is_what_is_wanted():
    """A refused prompt should come back as such; who routes around it is half right."""
    came = seen(at(0), reply=refused())
    assert scored(came).verdict == "safe"
    assert scored(came, wants="error").verdict == "pass"
    assert scored(answered(at(0)), wants="error").verdict == "partial"


def test_half_an_answer_presented_as_one_fails():
    """And so does silence."""
    half = says(WHOLE.text[:5])
    assert scored(answered(at(0), reading=half)).verdict == "fail"
    assert scored(seen(at(0), reply=got(timed_out=True, status=None))).verdict == "fail"


@pytest.mark.parametrize(
    ("check", "value", "good", "bad"),
    [
        ("most_within_1.5_s", 2, [at(0), at(1.4), at(1.6)], [at(0), at(0.1), at(0.2)]),
        ("attempts_at_least", 2, [at(0), at(9)], [at(0)]),
        ("first_pause_at_least_s", 1.8, [at(0), at(2)], [at(0), at(1)]),
    ],
)
def test_attempts_are_counted_at_the_primary(check, value, good, bad):
    """By the provider's own clock."""
    assert scored(answered(*good), checks={check: value}).missed == ()
    assert scored(answered(*bad), checks={check: value}).missed == (check,)


def test_a_prefill_that_is_refused_may_not_take_the_failure_s_place():
    """The client would read of a prefill that it never sent."""
    refusal = errored(message="This model does not support assistant message prefill.")
    masked = seen(at(0), refusal, reply=got(fails("prefill")))
    assert scored(masked, checks={"prefill_not_masking": True}).missed == ("prefill_not_masking",)
    honest = seen(at(0), reply=got(fails("cut")))
    assert scored(honest, checks={"prefill_not_masking": True}).missed == ()


def test_who_is_alive_has_answered_afterwards():
    """Nothing asked proves nothing."""
    for after, missed in ((got(), ()), (refused(), ("alive_after",)), (None, ("alive_after",))):
        came = replace(answered(at(0)), after=after)
        assert scored(came, checks={"alive_after": True}).missed == missed
