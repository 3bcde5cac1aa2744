"""Tests of the check that a failure is told honestly, and only where it is one."""

from chaos.faults.fault import Phase
from chaos.protocol.reading import Reading
from tests.fakes.observations import (
    PASSED,
    cut,
    fails,
    faulted,
    got,
    outcome,
    plan,
    refused,
    seen,
    served,
    where,
)

DOWN = (faulted(), faulted("gemma"))


def test_an_error_although_a_hop_answered_is_the_gateways():
    """A good answer that becomes a 500 on its way is lost by the gateway."""
    lost = seen(faulted(), served(), reply=refused())
    assert outcome(plan(), lost) == ("failed", "answer_degraded")
    assert where(plan(), lost) == "gateway"


def test_an_error_without_the_prescribed_form_is_a_failure():
    """With everything down the client gets one error that its library can read."""
    odd = got(fails(well_formed=False), status=500)
    bare = got(Reading(), status=500)
    for reply in (odd, bare):
        assert outcome(plan(depth=2), seen(*DOWN, reply=reply)) == ("failed", "answer_degraded")


def test_a_connection_that_breaks_is_no_honest_error():
    """A break tells the client nothing that it could show."""
    mid_stream = plan(phase=Phase.AFTER_FIRST_BYTE, fault="stream_cut", stream=True)
    half = faulted(stream=True, status=200, reply=cut("The w"), whole=False)
    broken = got(cut("The w"), broke_off="ClientPayloadError")
    assert outcome(mid_stream, seen(half, reply=broken)) == ("failed", "answer_degraded")
    gone = got(Reading(), status=None, broke_off="ServerDisconnectedError")
    assert outcome(plan(depth=2), seen(*DOWN, reply=gone)) == ("failed", "answer_degraded")


def test_an_error_after_output_is_honest_although_a_hop_answered():
    """Once output was sent, a gateway may give up on putting another hop's after it."""
    mid_stream = plan(phase=Phase.AFTER_FIRST_BYTE, fault="stream_cut", stream=True)
    half = faulted(stream=True, status=200, reply=cut("The w"), whole=False)
    told = got(cut("The w", error=fails(in_band=True).error))
    assert outcome(mid_stream, seen(half, served(stream=True), reply=told)) == PASSED
