"""Tests of the check that no error hides in a 2xx."""

from tests.fakes.observations import fails, faulted, got, outcome, plan, seen, served

DOWN = (faulted(), faulted("gemma"))


def test_an_error_in_a_good_body_is_a_failure():
    """A whole 2xx with an error is none, even with everything down."""
    inside = got(fails(in_band=True))
    assert outcome(plan(depth=2), seen(*DOWN, reply=inside)) == ("failed", "inband_error")


def test_an_error_in_the_stream_of_a_hop_that_answered_is_a_failure():
    """Where a hop gave a good answer, an error in the stream is not allowed."""
    wire = (faulted(stream=True), served(stream=True))
    inside = got(fails(in_band=True))
    assert outcome(plan(stream=True), seen(*wire, reply=inside)) == ("failed", "inband_error")
