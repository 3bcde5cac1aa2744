"""Tests of the check that the reply kept its deadlines."""

from chaos.judge.observation import Load
from chaos.witness.wire_record import AttemptOutcome
from tests.fakes.observations import (
    PASSED,
    faulted,
    got,
    outcome,
    plan,
    record,
    says,
    seen,
    served,
    verdict,
)


def test_a_reply_after_the_deadline_is_too_late():
    """A right answer that comes too late is a failure."""
    late = seen(faulted(), served(), reply=got(total_s=61.0))
    assert outcome(plan(), late) == ("failed", "too_late")


def test_a_client_that_gave_up_says_who_was_tried():
    """The message names the hops that used up the time."""
    hanging = seen(
        faulted(), faulted(), reply=got(says(""), status=None, timed_out=True, total_s=None)
    )
    deciding = verdict(plan(), hanging).deciding
    assert deciding is not None
    assert deciding.message == (
        "Too late: no end of the reply within 60 s; claude was tried 2 times."
    )
    assert deciding.where == "gateway"


def test_a_late_first_token_is_too_late_only_in_a_stream():
    """A whole reply has its first token when it has all of them."""
    slow = got(ttft_s=31.0, total_s=32.0)
    streamed = seen(faulted(stream=True), served(stream=True), reply=slow)
    assert outcome(plan(stream=True), streamed) == ("failed", "too_late")
    assert outcome(plan(), seen(faulted(), served(), reply=slow)) == PASSED


def test_a_hop_that_takes_the_time_itself_is_to_blame():
    """A slow engine is named, not the gateway."""
    slow = seen(faulted(), served(started_at_s=5.0, ended_at_s=65.0), reply=got(total_s=66.0))
    deciding = verdict(plan(), slow).deciding
    assert deciding is not None
    assert (deciding.where, deciding.hop) == ("hop", "gemma")


def test_a_hop_that_hangs_is_to_blame():
    """A hop that was contacted and never answered used up the time."""
    silent = record("gemma", AttemptOutcome.REFUSED, status=None)
    hanging = seen(
        faulted(), silent, reply=got(says(""), status=None, timed_out=True, total_s=None)
    )
    deciding = verdict(plan(), hanging).deciding
    assert deciding is not None
    assert (deciding.kind, deciding.where, deciding.hop) == ("too_late", "hop", "gemma")


def test_a_hop_that_was_quick_is_not_to_blame():
    """Time lost before the hop was asked is the gateway's."""
    quick = seen(faulted(), served(started_at_s=60.0, ended_at_s=61.0), reply=got(total_s=62.0))
    deciding = verdict(plan(), quick).deciding
    assert deciding is not None
    assert (deciding.where, deciding.hop) == ("gateway", None)


def test_a_hop_that_refused_did_not_hang():
    """An attempt that the witness turned away at once cost no time."""
    held_back = record("gemma", AttemptOutcome.REFUSED, status=400)
    waiting = seen(faulted(), held_back, reply=got(status=None, timed_out=True, total_s=None))
    late = next(f for f in verdict(plan(), waiting).findings if f.kind == "too_late")
    assert late.where == "gateway"


def test_what_the_gateway_s_own_slowness_did_is_no_failure_of_a_fallback():
    """Undisturbed it takes longer than the deadline, or most of it went before the first hop."""
    late = got(says(""), status=None, timed_out=True, total_s=None)
    hit = (faulted(status=None),)
    assert outcome(plan(), seen(*hit, reply=late)) == ("failed", "too_late")
    for load in (Load(undisturbed_s=70.0), Load(lag_s=40.0)):
        busy = seen(*hit, reply=late, load=load)
        assert outcome(plan(), busy) == ("inconclusive", "gateway_busy")
    quick = seen(*hit, reply=late, load=Load(lag_s=0.1, undisturbed_s=0.2, reached=True))
    assert outcome(plan(), quick) == ("failed", "too_late")
