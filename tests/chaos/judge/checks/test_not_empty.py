"""Tests of the check that a 2xx holds an answer."""

from chaos.faults.fault import Phase
from chaos.protocol.conversation import Finish
from tests.fakes.observations import (
    faulted,
    got,
    outcome,
    plan,
    says,
    seen,
    served,
    usual,
    verdict,
    where,
)


def test_an_empty_200_of_the_primary_is_no_answer():
    """An empty success that stops the fallback is a failure of the gateway."""
    empty = seen(faulted(status=200, reply=says("")), reply=got(says("")))
    in_2xx = plan(fault="empty_200", phase=Phase.IN_2XX)
    assert outcome(in_2xx, empty) == ("failed", "empty_reply")
    assert where(in_2xx, empty) == "gateway"


def test_white_space_is_no_answer():
    """Blank text is nothing that a caller would use."""
    assert outcome(plan(), usual(says(" \n"))) == ("failed", "empty_reply")


def test_an_empty_reply_of_the_hop_is_the_hops():
    """Where the hop itself said nothing, it is to blame."""
    assert where(plan(), usual(says("", finish=Finish.STOP))) == "hop"


def test_an_answer_that_the_gateway_swallowed_is_the_gateways():
    """Where the hop answered and the client got nothing, the gateway is to blame."""
    assert where(plan(), usual(says(""), own=says())) == "gateway"


def test_a_refusal_handed_on_is_no_answer():
    """What a failing hop says in place of an answer is none, with or without text."""
    in_2xx = plan(fault="refusal_200", phase=Phase.IN_2XX)
    bare = says("", refusal="I cannot help.", finish=Finish.CONTENT_FILTER)
    spoken = says("I cannot help.", finish=Finish.CONTENT_FILTER)
    for reading in (bare, spoken):
        handed_on = seen(faulted(status=200, reply=reading), reply=got(reading))
        assert outcome(in_2xx, handed_on) == ("failed", "empty_reply")


def test_the_right_hop_after_a_false_2xx_passes():
    """A gateway that sees through the refusal and falls back has done well."""
    in_2xx = plan(fault="refusal_200", phase=Phase.IN_2XX)
    fell_back = seen(faulted(status=200, reply=says("I cannot help.")), served())
    assert verdict(in_2xx, fell_back).kind is None


def test_a_primary_that_fails_once_may_say_what_it_likes_the_second_time():
    """Only what a hop says instead of an answer is none."""
    once = plan(fault="refusal_200.once", phase=Phase.IN_2XX)
    again = seen(faulted(status=200, reply=says("I cannot help.")), served("claude"))
    assert verdict(once, again).kind is None
