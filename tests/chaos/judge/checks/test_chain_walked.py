"""Tests of the check that every hop was tried whose turn had come."""

from dataclasses import replace

import pytest

from chaos.faults.fault import Phase
from chaos.judge.checks import find
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

THREE = ("claude", "gpt", "gemma")


def test_a_group_without_a_chain_fails():
    """An honest error of a group without fallbacks is still no fallback."""
    alone = plan(chain=("claude",))
    assert outcome(alone, seen(faulted(), reply=refused())) == ("failed", "no_fallback")


def test_a_group_without_a_chain_fails_in_mid_stream_too():
    """Without a chain the phase of the fault excuses nothing."""
    alone = plan(chain=("claude",), phase=Phase.AFTER_FIRST_BYTE, stream=True)
    broken = seen(faulted(stream=True), reply=got(fails(in_band=True)))
    assert outcome(alone, broken) == ("failed", "no_fallback")


def test_a_group_without_a_chain_that_recovers_passes():
    """A fault that strikes once needs a retry, not a chain."""
    once = plan(chain=("claude",), fault="server_error.once")
    assert outcome(once, seen(faulted(), served("claude"))) == PASSED


def test_a_chain_that_is_not_tried_fails():
    """The primary's error reaches the client although a hop was there to be tried."""
    assert outcome(plan(), seen(faulted(), reply=refused())) == ("failed", "never_tried")


def test_an_error_inside_a_2xx_without_any_try_is_never_tried():
    """An error is an error, also inside a good status."""
    inside = seen(faulted(), reply=got(fails(in_band=True)))
    judged = verdict(plan(), inside)
    assert judged.kind == "never_tried"
    assert "inband_error" in {finding.kind for finding in judged.findings}


def test_a_hop_before_the_one_that_served_must_be_contacted():
    """Serving from the third hop while the second was never asked skips a hop."""
    skipped = seen(faulted(), served())
    judged = verdict(plan(chain=THREE, depth=2), skipped)
    assert judged.kind == "hop_skipped"
    assert judged.deciding is not None
    assert judged.deciding.hop == "gpt"


def test_a_hop_after_a_failed_one_must_be_contacted():
    """A chain that stops after its first fallback skips the rest."""
    stopped = seen(faulted(), faulted("gpt"), reply=refused())
    assert outcome(plan(chain=THREE, depth=2), stopped) == ("failed", "hop_skipped")


def test_with_everything_down_every_hop_must_be_contacted():
    """An error before the last hop was tried is not the end of the chain."""
    down = plan(chain=THREE, depth=3)
    assert outcome(down, seen(faulted(), faulted("gpt"), reply=refused())) == (
        "failed",
        "hop_skipped",
    )
    everything = seen(faulted(), faulted("gpt"), faulted("gemma"), reply=refused())
    assert outcome(down, everything) == PASSED


def test_after_the_first_byte_one_honest_error_ends_it():
    """Once output was sent, no hop has to be contacted."""
    late = plan(phase=Phase.AFTER_FIRST_BYTE, fault="stream_cut", stream=True)
    told = seen(
        faulted(stream=True, status=200, reply=cut("The w"), whole=False),
        reply=got(says("The w", finish=None, error=fails(in_band=True).error)),
    )
    assert outcome(late, told) == PASSED


def test_a_client_that_gave_up_does_not_prove_a_skipped_hop():
    """While the gateway is still at it, no hop's turn has come; it is only late."""
    hanging = seen(faulted(status=None), reply=got(says(""), status=None, timed_out=True))
    assert outcome(plan(), hanging) == ("failed", "too_late")


def test_an_unrecognised_attempt_is_not_called_a_skipped_hop():
    """A request that fits no upstream may have been for the missing hop."""
    strange = seen(
        faulted(),
        record(None, AttemptOutcome.REFUSED, status=400),
        reply=refused(),
    )
    assert outcome(plan(), strange) == ("inconclusive", "hop_not_forwardable")


def test_spare_hops_need_not_be_contacted():
    """What stands after the serving hop has nothing to do."""
    assert outcome(plan(chain=("claude", "gemma", "spare")), usual()) == PASSED


def test_a_spare_hop_is_due_after_the_serving_one_failed():
    """If the serving hop fails and the client gets an error, the spare hop was skipped."""
    stopped = seen(faulted(), errored(), reply=refused())
    assert outcome(plan(chain=("claude", "gemma", "spare")), stopped) == ("failed", "hop_skipped")


def test_after_the_first_byte_the_chain_may_end_anywhere():
    """An honest error after the second hop's output leaves the third alone."""
    late = plan(chain=THREE, depth=2, phase=Phase.AFTER_FIRST_BYTE, stream=True)
    half = faulted("gpt", stream=True, status=200, reply=cut("The w"), whole=False)
    told = got(says("The w", finish=None, error=fails(in_band=True).error))
    assert outcome(late, seen(faulted(stream=True), half, reply=told)) == PASSED


def test_an_error_before_any_output_had_time_for_the_next_hop():
    """What the gateway had not passed on yet, it could still have taken back."""
    late = plan(chain=THREE, depth=2, phase=Phase.AFTER_FIRST_BYTE)
    judged = outcome(late, seen(faulted(), faulted("gpt"), reply=refused()))
    assert judged == ("failed", "hop_skipped")
    alone = plan(phase=Phase.AFTER_FIRST_BYTE)
    assert outcome(alone, seen(faulted(), reply=refused())) == ("failed", "never_tried")


def test_a_chain_of_names_that_do_not_exist_is_to_be_corrected():
    """The gateway's rules are not the reason; one that exists leaves the reason to them."""
    of = plan(chain=THREE)
    nobody = tuple(replace(hop, deployments=()) for hop in of.hops[1:])
    misspelt = verdict(replace(of, hops=(of.hops[0], *nobody)), seen(faulted(), reply=refused()))
    known = verdict(of, seen(faulted(), reply=refused()))
    assert misspelt.deciding is not None
    assert known.deciding is not None
    assert (misspelt.kind, known.kind) == ("never_tried", "never_tried")
    names = ", ".join(hop.group for hop in of.hops[1:])
    assert misspelt.deciding.remedy == (
        f"Correct the chain: the gateway has no model group called {names}."
    )
    assert "takes this failure for final" in (known.deciding.remedy or "")


def test_a_client_that_gave_up_in_mid_chain_is_only_late():
    """The third hop's turn had not come when the second one's silence used up the time."""
    hanging = seen(
        faulted(),
        faulted("gpt", status=None),
        reply=got(says(""), status=None, timed_out=True),
    )
    assert outcome(plan(chain=THREE, depth=2), hanging) == ("failed", "too_late")


def test_a_hop_after_one_that_answered_is_not_due():
    """An answer that the gateway loses is lost, and no hop was skipped."""
    lost = seen(faulted(), served(), reply=refused())
    assert outcome(plan(chain=("claude", "gemma", "spare")), lost) == ("failed", "answer_degraded")


def test_a_hop_that_the_gateway_does_not_have_is_told_as_that():
    """A typing error in a chain is found by its sentence."""
    of = plan(chain=THREE)
    gone = replace(of, hops=(of.hops[0], replace(of.hops[1], deployments=()), of.hops[2]))
    unknown, known = (verdict(p, seen(faulted(), served("gemma"))).deciding for p in (gone, of))
    assert unknown is not None
    assert known is not None
    assert (unknown.kind, known.kind) == ("hop_skipped", "hop_skipped")
    assert "gpt, which the gateway does not have," in unknown.message
    assert "does not have" not in known.message


def test_a_fallback_that_lost_the_nonce_is_not_untried():
    """A request was refused for want of the nonce: nothing is known about the hop it was for."""
    lost = seen(faulted(), reply=refused(), strays=1)
    assert outcome(plan(), lost) == ("inconclusive", "nonce_lost")
    three = plan(chain=THREE)
    passed_over = seen(faulted(), served("gemma"), strays=2)
    assert outcome(three, passed_over) == ("inconclusive", "nonce_lost")


def test_a_stray_beside_a_chain_that_was_walked_says_nothing():
    """Something else knocked at the port."""
    assert outcome(plan(), usual(strays=1)) == PASSED


REFUSED_PARAMETER = (
    "litellm.UnsupportedParamsError: openai does not support parameters: ['thinking'], for "
    "model=gemma. To drop these, set `litellm.drop_params=True`"
)


@pytest.mark.parametrize(
    "text",
    [
        f"litellm.BadRequestError: {'long ' * 80}. Fallback to ['gemma'] also failed: {{}}",
        f"litellm.BadRequestError: {'long ' * 80}\nError doing the fallback: {{}}",
    ],
    ids=["1.106.2", "1.82.6"],
)
def test_what_kept_the_fallback_from_being_asked_is_quoted(text):
    """It comes last in LiteLLM's words, after all that the primary has said."""
    judged = verdict(plan(), seen(faulted(), reply=refused(text.format(REFUSED_PARAMETER))))
    assert judged.kind == "never_tried"
    assert judged.deciding is not None
    assert "does not support parameters: ['thinking']" in judged.deciding.message
    assert "long long" not in judged.deciding.message
    assert "drop_params: true" in (judged.deciding.remedy or "")


@pytest.mark.parametrize(
    "text",
    [
        "litellm.UnsupportedParamsError: gpt-4.1 doesn't support `reasoning.effort`.",
        "Setting `dimensions` is not supported: gemma does not support parameters: ['dimensions']",
    ],
)
def test_a_refused_parameter_is_known_by_each_of_litellm_s_wordings(text):
    """Its bridge for Responses has other words than its translation of chat completions."""
    reply = refused(f"x. Fallback to ['gemma'] also failed: {text}")
    judged = verdict(plan(), seen(faulted(), reply=reply))
    assert judged.deciding is not None
    assert "drop_params: true" in (judged.deciding.remedy or "")


def test_another_reason_is_quoted_without_advice_about_parameters():
    """A key that may not use the hop, say."""
    text = "x. Fallback to ['gemma'] also failed: key not allowed to access model"
    judged = verdict(plan(), seen(faulted(), reply=refused(text)))
    assert judged.deciding is not None
    assert "says of the fallback: “key not allowed to access model”" in judged.deciding.message
    assert "drop_params" not in (judged.deciding.remedy or "")


def test_a_key_that_may_not_use_the_fallback_is_named_as_the_cause():
    """LiteLLM repeats only what the primary said, and not why it asked nobody else."""
    of = plan()
    hop = replace(of.hops[1], closed_to="team-a")
    closed = replace(of, hops=(of.hops[0], hop))
    finding = find("chain_walked").judge(closed, seen(faulted(), reply=refused()))
    assert finding.remedy is not None
    assert finding.remedy.startswith("The key team-a may not ask for gemma. If it should")
