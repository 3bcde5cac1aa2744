"""Tests of the check that the drill hit its fault."""

import pytest

from chaos.judge.observation import Load
from chaos.witness.wire_record import AttemptOutcome
from tests.fakes.observations import (
    NONCE,
    PASSED,
    calls,
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


def test_a_fault_that_answered_is_hit():
    """One attempt answered by the fault is enough."""
    assert outcome(plan(), usual()) == PASSED


def test_an_unhit_fault_outweighs_failures():
    """Whatever else went wrong, a drill without its fault is inconclusive."""
    wrong = seen(served("bystander"))
    assert outcome(plan(), wrong) == ("inconclusive", "fault_not_hit")


def test_a_second_hop_that_was_to_fail_and_did_not_is_not_hit():
    """With two hops to fail, both faults have to strike where their hop is contacted."""
    two = plan(chain=("claude", "gpt", "gemma"), depth=2)
    assert outcome(two, seen(faulted(), served("gpt"))) == ("inconclusive", "fault_not_hit")


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (got(status=None, reading=says(""), broke_off="refused"), "gateway_down"),
        (got(status=502, reading=says("")), "gateway_down"),
        (refused("Invalid key.", status=401), "gateway_refused"),
        (refused("Unknown parameter.", status=400), "gateway_refused"),
        (refused("Internal Server Error", status=500), "gateway_refused"),
        (refused("You cannot connect this model.", status=403), "gateway_refused"),
        (refused("Try again later.", status=503), "gateway_refused"),
        (got(calls()), "fault_not_hit"),
        (refused("Connection error.", status=500), "witness_unreachable"),
        (refused("Timeout.", status=408), "witness_unreachable"),
        (got(status=None, reading=says(""), timed_out=True), "witness_unreachable"),
        (refused("No deployments available, in cooldown.", status=429), "cooldown_open"),
        (got(says("Something said before.")), "cached_reply"),
        (got(says(f"The word is {NONCE}.")), "fault_not_hit"),
        (got(says("")), "fault_not_hit"),
    ],
)
def test_an_empty_wire_is_explained_by_what_the_client_got(reply, reason):
    """With nothing on the wire, the client's reply tells why nothing was proven."""
    assert outcome(plan(), seen(reply=reply)) == ("inconclusive", reason)


def test_a_cooldown_that_only_fallbacks_met_is_open():
    """A primary that is skipped and an error about cooldown mean an open cooldown."""
    skipped = seen(
        record("gemma", AttemptOutcome.ERRORED, status=500, reply=fails()),
        reply=refused("all_deployments_in_cooldown", status=429),
    )
    assert outcome(plan(), skipped) == ("inconclusive", "cooldown_open")


def test_a_primary_left_out_without_a_word_is_not_hit():
    """Where nothing speaks of a cooldown, why the primary was passed over is not known."""
    skipped = seen(
        record("gemma", AttemptOutcome.ERRORED, status=500, reply=fails()), reply=refused()
    )
    assert outcome(plan(), skipped) == ("inconclusive", "fault_not_hit")


def test_one_attempt_without_the_nonce_does_not_undo_a_hit():
    """Strays beside a fault that struck are not the drill's business."""
    assert outcome(plan(), usual(strays=3)) == PASSED


def test_strays_alone_mean_a_lost_nonce():
    """Strays in place of attempts are the drill's own request without its nonce."""
    assert outcome(plan(), seen(reply=refused(), strays=2)) == ("inconclusive", "nonce_lost")


def test_the_finding_counts_the_hits():
    """The message says how often the fault answered."""
    finding = verdict(plan(), seen(faulted(), faulted(), served())).findings[0]
    assert finding.message == "billing answered claude 2 times."


def test_a_redirect_of_the_gateway_is_said_and_not_followed():
    """The key would go wherever it leads; what its address may hold of secrets is not shown."""
    headers = {"location": "https://u:p@else.example/v1/messages?key=1"}
    sent = seen(reply=got(says(""), status=307, headers=headers))
    assert outcome(plan(), sent) == ("inconclusive", "gateway_refused")
    (finding,) = [f for f in verdict(plan(), sent).findings if f.kind == "gateway_refused"]
    assert "a redirect to https://else.example/v1/messages." in finding.message
    assert "key=1" not in finding.message


def test_an_empty_wire_is_a_busy_gateway_where_other_attempts_arrived():
    """The witness can be reached, so that is not why nothing came in time."""
    late = got(says(""), status=None, timed_out=True, total_s=None)
    assert outcome(plan(), seen(reply=late)) == ("inconclusive", "witness_unreachable")
    busy = seen(reply=late, load=Load(reached=True))
    assert outcome(plan(), busy) == ("inconclusive", "gateway_busy")
