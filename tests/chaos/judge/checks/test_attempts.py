"""Tests of the check that no hop was tried too often."""

from dataclasses import replace

from tests.fakes.observations import PASSED, faulted, outcome, plan, seen, served


def test_retries_within_the_allowance_are_right():
    """One try and two retries are what the gateway's settings explain."""
    assert outcome(plan(), seen(faulted(), faulted(), faulted(), served())) == PASSED


def test_one_attempt_too_many_is_a_storm():
    """The fourth attempt is explained by nothing."""
    storm = seen(*[faulted()] * 4, served())
    assert outcome(plan(), storm) == ("failed", "retry_storm")


def test_a_broken_connection_may_be_tried_once_more_by_the_http_client():
    """Two resets without a byte are one attempt of the gateway; four of two are not."""
    twice = replace(plan().hops[0], attempts_allowed=1)
    only_one = replace(plan(), hops=(twice, *plan().hops[1:]))
    reset = faulted(status=None)
    assert outcome(only_one, seen(reset, reset, served())) == PASSED
    assert outcome(only_one, seen(*[reset] * 4, served())) == ("failed", "retry_storm")
    assert outcome(only_one, seen(*[faulted()] * 2, served())) == ("failed", "retry_storm")


def test_a_hang_is_an_attempt_like_any_other():
    """The gateway gave it up by itself: no client library tried it again below."""
    twice = replace(plan().hops[0], attempts_allowed=1)
    only_one = replace(plan(), hops=(twice, *plan().hops[1:]))
    hang = faulted(status=None, caller_left=True)
    assert outcome(only_one, seen(hang, served())) == PASSED
    assert outcome(only_one, seen(hang, hang, served())) == ("failed", "retry_storm")
