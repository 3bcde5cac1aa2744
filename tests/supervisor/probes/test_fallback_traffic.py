"""Users on a fallback are told apart from drills, which fall back on purpose."""

from datetime import timedelta

import pytest

from chaos.gateway.fallback_counts import MASTER_KEY, Failure, Fallback, FallbackCounts
from supervisor.probes.fallback_traffic import FallbackTraffic
from tests.fakes.manual_clock import NOON

OURS = "hash-of-ours"
QUIET = timedelta(minutes=10)


def fallback(key=MASTER_KEY, exception="Anthropic.BadRequestError", group="claude"):
    """A fallback to the local engine."""
    return Fallback(group, "gemma", key, "400", exception)


def failure(exception="Anthropic.BadRequestError", group="claude"):
    """A failure of a request that was not ours."""
    return Failure(group, "400", exception)


def traffic(*looks):
    """Look once a minute."""
    seen = FallbackTraffic(OURS, QUIET)
    for minute, counts in enumerate(looks):
        seen.note(counts, NOON + timedelta(minutes=minute))
    return seen


def counts(served=None, failed=None, exhausted=None, process=1.0, drilled=None):
    """One look."""
    return FallbackCounts(process, served or {}, exhausted or {}, failed or {}, drilled or {})


def test_another_s_fallback_is_a_user_s():
    """Who has another key than ours is a user, and is on a fallback from then on."""
    seen = traffic(counts(), counts({fallback("theirs"): 2.0}))
    (found,) = seen.running(NOON + timedelta(minutes=1))
    assert (found.group, found.hop, found.count) == ("claude", "gemma", 2)
    assert (found.status, found.exception) == ("400", "Anthropic.BadRequestError")
    assert found.since == NOON + timedelta(minutes=1)


@pytest.mark.parametrize("key", [OURS, MASTER_KEY, "", "None"])
def test_a_fallback_that_may_be_ours_is_no_user_s(key):
    """A drill falls back as well: without a failure of others nobody else did."""
    assert traffic(counts(), counts({fallback(key): 2.0})).running(NOON) == ()


@pytest.mark.parametrize("key", [OURS, MASTER_KEY])
def test_a_failure_of_others_makes_a_fallback_a_user_s(key):
    """Where a user's request failed at the group's own deployment, a user fell back."""
    seen = traffic(counts(), counts({fallback(key): 2.0}, {failure(): 2.0}))
    assert [one.group for one in seen.running(NOON)] == ["claude"]


@pytest.mark.parametrize("order", [1, -1])
def test_a_drill_s_fallback_lends_a_user_s_neither_its_reason_nor_its_number(order):
    """Both fell back between the same two looks; only the user's error failed for users."""
    internal = "Anthropic.InternalServerError"
    served = dict([(fallback(), 3.0), (fallback(exception=internal), 7.0)][::order])
    ours = {failure(internal): 7.0, failure(): 2.0}
    (found,) = traffic(counts(), counts(served, {failure(): 1.0}, drilled=ours)).running(NOON)
    assert (found.exception, found.count) == ("Anthropic.BadRequestError", 1)


def test_a_user_s_fallback_whose_error_is_named_otherwise_is_told_all_the_same():
    """LiteLLM may name the error of a broken stream differently in both places."""
    served = {fallback(exception="MidStreamFallbackError"): 1.0}
    (found,) = traffic(counts(), counts(served, {failure(): 1.0})).running(NOON)
    assert found.exception == "MidStreamFallbackError"


def test_a_fallback_is_laid_to_a_failure_of_the_look_before():
    """The failure counts at once, the fallback when its reply has ended; a drill ends between."""
    internal = "Anthropic.InternalServerError"
    looks = (
        counts(),
        counts(
            {fallback(exception=internal): 1.0},
            {failure(): 1.0},
            drilled={failure(internal): 1.0},
        ),
        counts(
            {fallback(exception=internal): 1.0, fallback(): 1.0},
            {failure(): 1.0},
            drilled={failure(internal): 1.0},
        ),
    )
    assert traffic(*looks[:2]).running(NOON) == ()
    (found,) = traffic(*looks).running(NOON)
    assert (found.exception, found.count) == ("Anthropic.BadRequestError", 1)


def test_a_failure_that_was_only_tried_again_makes_no_later_drill_a_user():
    """After two minutes its fallback is no longer expected."""
    failed = {failure(): 1.0}
    looks = counts(), counts({}, failed), counts({}, failed), counts({fallback(): 1.0}, failed)
    assert traffic(*looks).running(NOON) == ()


def test_a_failure_is_laid_to_one_fallback_only():
    """One failure of a user and two fallbacks in two looks: the second was a drill's."""
    failed = {failure(): 1.0}
    looks = counts(), counts({fallback(): 1.0}, failed), counts({fallback(): 2.0}, failed)
    (found,) = traffic(*looks).running(NOON)
    assert found.count == 1


def test_a_drill_s_broken_stream_is_laid_to_its_own_failure():
    """Its error has another name, and users failed meanwhile."""
    served = {fallback(exception="MidStreamFallbackError"): 1.0}
    looks = counts(), counts(served, {failure(): 1.0}, drilled={failure("Cut"): 1.0})
    assert traffic(*looks).running(NOON) == ()


def test_a_failure_of_another_group_does_not():
    """What fails elsewhere says nothing about this group."""
    seen = traffic(counts(), counts({fallback(): 2.0}, {failure(group="gpt"): 2.0}))
    assert seen.running(NOON) == ()


def test_a_group_whose_deployments_are_all_cooled_down_is_a_user_s():
    """A drill has deployments of its own, so it never finds them cooled down."""
    series = fallback(exception="RouterRateLimitError")
    assert traffic(counts(), counts({series: 1.0})).running(NOON) != ()


def test_the_first_look_says_nothing():
    """What was counted before the daemon looked may be a month old."""
    assert traffic(counts({fallback("theirs"): 200.0})).running(NOON) == ()


def test_what_a_restarted_gateway_counts_is_not_compared_with_the_one_before():
    """A new process begins at zero, and its first look is only remembered."""
    looks = counts({fallback("theirs"): 9.0}), counts({fallback("theirs"): 10.0}, process=2.0)
    assert traffic(*looks).running(NOON) == ()


def test_workers_that_answer_in_turn_are_counted_each_for_itself():
    """Two workers with different counts are no rise, and a rise of one of them is."""
    a, b = counts({fallback("theirs"): 9.0}), counts({fallback("theirs"): 2.0}, process=2.0)
    assert traffic(a, b, a, b).running(NOON) == ()
    more = counts({fallback("theirs"): 3.0}, process=2.0)
    (found,) = traffic(a, b, a, more).running(NOON)
    assert found.count == 1


def test_counters_that_fall_are_nobody_s_fallback():
    """A counter that went back was started anew without saying so."""
    looks = counts({fallback("theirs"): 9.0}), counts({fallback("theirs"): 3.0})
    assert traffic(*looks).running(NOON) == ()


def test_it_is_over_when_nobody_has_fallen_back_for_a_while():
    """A quiet time ends it, and the next fallback begins anew."""
    seen = traffic(counts(), counts({fallback("theirs"): 2.0}))
    last = NOON + timedelta(minutes=1)
    assert seen.running(last + QUIET - timedelta(seconds=1)) != ()
    assert seen.running(last + QUIET) == ()
    later = last + timedelta(hours=1)
    seen.note(counts({fallback("theirs"): 3.0}), later)
    (found,) = seen.running(later)
    assert (found.since, found.count) == (later, 1)


def test_it_is_over_when_the_clock_was_set_back():
    """And begins anew by the new time, if it goes on."""
    seen = traffic(counts(), counts({fallback("theirs"): 2.0}))
    earlier = NOON - timedelta(days=1)
    seen.note(counts({fallback("theirs"): 3.0}), earlier)
    (found,) = seen.running(earlier)
    assert (found.since, found.count) == (earlier, 1)
    assert seen.running(earlier - timedelta(days=1)) == ()


def test_it_keeps_its_beginning_while_it_goes_on():
    """Since when is the first of a row of fallbacks, however many follow."""
    seen = traffic(*(counts({fallback("theirs"): float(n)}) for n in range(5)))
    (found,) = seen.running(NOON + timedelta(minutes=4))
    assert (found.since, found.count) == (NOON + timedelta(minutes=1), 4)


def test_a_chain_that_fails_as_a_whole_is_on_a_fallback_that_does_not_hold():
    """A fallback that failed as well is counted apart."""
    seen = traffic(counts(), counts(exhausted={fallback("theirs"): 3.0}))
    (found,) = seen.running(NOON)
    assert (found.count, found.exhausted) == (0, 3)
