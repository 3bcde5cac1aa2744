"""Each check, asked about a drill that the settings expect to be refused, or to end in an error."""

from dataclasses import replace

import pytest

from chaos.drill.requests.whole_group import WholeGroup
from chaos.faults.fault import Phase
from chaos.judge.check import Kind, Result
from chaos.judge.checks import find
from chaos.judge.closing import close
from chaos.protocol.reading import Reading
from chaos.scenario.expectation import Expectation, Expected
from chaos.witness.wire_record import AttemptOutcome
from tests.fakes.observations import (
    PASSED,
    cut,
    errored,
    fails,
    faulted,
    got,
    outcome,
    plan,
    record,
    refused,
    says,
    seen,
    served,
    usual,
    verdict,
)


def expecting(end, **changes):
    """Plan the usual drill, which should end so."""
    return replace(plan(**changes), expectation=Expectation("*", end, "the policy of the house"))


def refusal(**changes):
    """Plan a drill whose client should be refused."""
    return expecting(Expected.REFUSED, **changes)


def error(**changes):
    """Plan a drill that should end in an error."""
    return expecting(Expected.ERROR, **changes)


def stood_in(group="gemma"):
    """The witness answered for a hop that should not have been asked."""
    return record(group, AttemptOutcome.STOOD_IN, reply=says())


FAILED_CLOSED = seen(faulted(), reply=refused(status=400))


def found(check, of, observation):
    """What one check finds."""
    finding = find(check).judge(of, observation)
    return finding.result, finding.kind


def test_a_refusal_passes_and_says_so():
    """As today it would be never_tried, or no_fallback."""
    assert outcome(plan(), FAILED_CLOSED) == ("failed", "never_tried")
    assert outcome(refusal(), FAILED_CLOSED) == PASSED
    assert outcome(refusal(chain=("claude",)), FAILED_CLOSED) == PASSED
    assert close(refusal(), FAILED_CLOSED).message.startswith("refused, as the settings expect")


@pytest.mark.parametrize("end", [Expected.REFUSED, Expected.ERROR])
@pytest.mark.parametrize("hop", [served(), stood_in(), served("bystander")])
def test_a_fallback_that_serves_is_the_wrong_hop(end, hop):
    """Also where it is the one that the chain names, and by the same check of every verdict."""
    of = expecting(end)
    answered = seen(faulted(), hop)
    assert outcome(of, answered) == ("failed", "wrong_hop")
    assert found("served_by", of, answered) == (Result.FAILED, Kind.WRONG_HOP)
    deciding = verdict(of, answered).deciding
    assert deciding is not None
    assert "the policy of the house" in deciding.message
    assert deciding.hop == hop.group


def test_a_fallback_that_was_only_asked_breaks_a_refusal_and_no_error():
    """The request left for where it may not go, whatever came back."""
    for asked in (errored(), faulted("gemma"), errored("bystander")):
        observation = seen(faulted(), asked, reply=refused(status=400))
        assert outcome(refusal(), observation) == ("failed", "wrong_hop")
        assert close(refusal(), observation).kind is Kind.WRONG_HOP
        assert outcome(error(), observation) == PASSED
    both = refusal(depth=2)
    observation = seen(faulted(), faulted("gemma"), reply=refused(status=400))
    assert outcome(both, observation) == ("failed", "wrong_hop")


@pytest.mark.parametrize("end", [Expected.REFUSED, Expected.ERROR])
def test_a_drill_that_did_not_hit_its_fault_proves_no_refusal(end):
    """The gateway refuses a key by itself, before it asks anybody."""
    assert outcome(expecting(end), seen(reply=refused(status=400))) == (
        "inconclusive",
        "gateway_refused",
    )


def test_a_refusal_is_a_4xx():
    """A 5xx asks the client to try again; an error may be either."""
    outage = seen(faulted(status=500), reply=refused(status=503))
    assert outcome(refusal(), outage) == ("failed", "answer_degraded")
    assert found("error_told", refusal(), outage) == (Result.FAILED, Kind.ANSWER_DEGRADED)
    assert close(refusal(), outage).kind is Kind.ANSWER_DEGRADED
    assert outcome(error(), outage) == PASSED
    assert "as the settings expect" in close(error(), outage).message


@pytest.mark.parametrize("end", [Expected.REFUSED, Expected.ERROR])
def test_it_is_one_well_formed_error_in_time(end):
    """No form, a late one, and none at all are failures as ever."""
    of = expecting(end)
    formless = refused(status=400)
    formless = replace(formless, reading=fails("It failed.", well_formed=False))
    assert outcome(of, seen(faulted(), reply=formless)) == ("failed", "answer_degraded")
    late = refused(status=400, total_s=of.deadline_s + 1)
    assert outcome(of, seen(faulted(), reply=late)) == ("failed", "too_late")
    silent = got(Reading(), status=None, timed_out=True, ttft_s=None, total_s=None)
    assert outcome(of, seen(faulted(), reply=silent)) == ("failed", "too_late")
    empty = seen(faulted(), reply=got(says("")))
    assert outcome(of, empty) == ("failed", "empty_reply")


def test_a_refusal_is_no_error_inside_a_success():
    """An error may be told in a stream; a refusal is decided before the first byte."""
    inside = got(fails(), status=200)
    streamed = seen(faulted(stream=True), reply=inside)
    assert outcome(refusal(stream=True), streamed) == ("failed", "inband_error")
    assert outcome(error(stream=True), streamed) == PASSED
    assert outcome(error(), seen(faulted(), reply=inside)) == ("failed", "inband_error")


def test_what_was_sent_before_the_fault_struck_cannot_be_taken_back():
    """Then one honest error in the stream is all that is left of a refusal."""
    half = cut("The word")
    of = refusal(phase=Phase.AFTER_FIRST_BYTE, fault="stream_cut", stream=True)
    told = replace(half, error=fails().error)
    observation = seen(
        faulted(stream=True, status=200, reply=half, whole=False), reply=got(told, status=200)
    )
    assert outcome(of, observation) == PASSED


@pytest.mark.parametrize("end", [Expected.REFUSED, Expected.ERROR])
def test_a_primary_that_answers_after_all_was_not_to_be_refused(end):
    """Its fault had passed, or came too late to matter: nothing is proven."""
    recovered = seen(faulted(), served("claude"))
    of = expecting(end, fault="server_error.once")
    assert outcome(of, recovered) == ("inconclusive", "fault_not_hit")
    whole = expecting(end, phase=Phase.AFTER_FIRST_BYTE, fault="stream_no_done", stream=True)
    given = seen(faulted(stream=True, status=200, reply=says()))
    assert outcome(whole, given) == ("inconclusive", "fault_not_hit")


def test_a_later_deployment_of_the_group_is_a_fallback_like_any():
    """A group that is a chain of its own walks around a policy too."""
    of = refusal(chain=("claude",))
    hop = replace(of.hops[0], spared=frozenset({"id-later"}))
    of = replace(of, hops=(hop,))
    assert outcome(of, seen(faulted(), served("claude"))) == ("failed", "wrong_hop")


def test_a_request_that_nobody_could_match_may_have_been_for_a_fallback():
    """Without its nonce, or to an upstream that nobody knows: then nothing is proven."""
    assert outcome(refusal(), replace(FAILED_CLOSED, strays=1)) == ("inconclusive", "nonce_lost")
    stranger = record(None, AttemptOutcome.REFUSED, status=400)
    observation = seen(faulted(), stranger, reply=refused(status=400))
    assert outcome(refusal(), observation) == ("inconclusive", "hop_not_forwardable")


def test_a_hop_that_only_the_canary_failed_shows_no_error_of_its_own():
    """With its real key it might have served."""
    observation = seen(faulted(), errored(status=401), reply=refused(status=401))
    assert outcome(error(), observation) == ("inconclusive", "hop_not_forwardable")


def test_no_hop_has_to_hold_or_to_show_each_deployment():
    """What may not be asked, or may fail, is not run until each has served."""
    assert found("hop_held", error(), seen(faulted(), errored(), reply=refused())) == (
        Result.PASSED,
        None,
    )
    of = refusal()
    first = of.hops[1].deployments[0]
    two = replace(of.hops[1], deployments=(first, replace(first, upstream_model="another")))
    assert WholeGroup.of(replace(of, hops=(of.hops[0], two))) is None
    assert WholeGroup.of(replace(plan(), hops=(of.hops[0], two))) is not None


def test_a_served_drill_is_judged_as_ever():
    """Whoever writes down what holds anyway changes nothing."""
    assert outcome(expecting(Expected.SERVED), usual()) == PASSED
    assert outcome(expecting(Expected.SERVED), FAILED_CLOSED) == ("failed", "never_tried")
