"""Tests of the check that a contacted fallback hop held."""

from dataclasses import replace

import pytest

from chaos.judge.checks.hop_held import HOP_HELD
from chaos.judge.observation import Sample
from chaos.protocol.reading import Defect, DefectFound, Reading
from chaos.witness.wire_record import AttemptOutcome, KeyOwner
from tests.fakes.observations import (
    PASSED,
    TOOL_TASK,
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
    verdict,
    where,
)

FLAGS = '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'


def test_a_local_hop_that_refuses_has_failed():
    """The engine's own 400 makes the hop fail, and is quoted with its remedy."""
    broken = seen(faulted(), errored(message=FLAGS), reply=refused())
    judged = verdict(plan(), broken)
    assert judged.kind == "hop_failed"
    assert judged.deciding is not None
    assert "requires --enable-auto-tool-choice" in judged.deciding.message
    assert "--enable-auto-tool-choice --tool-call-parser" in (judged.deciding.remedy or "")
    assert where(plan(), broken) == "hop"


def test_the_verdict_does_not_depend_on_the_words_of_the_engine():
    """Any refusal of a local hop fails it, whatever it says."""
    assert outcome(plan(), seen(faulted(), errored(message="Nope."), reply=refused())) == (
        "failed",
        "hop_failed",
    )


def test_a_failed_hop_fails_although_a_later_one_saved_the_request():
    """The client is well, the chain is not."""
    three = plan(chain=("claude", "gemma", "spare"))
    saved = seen(faulted(), errored(), record("spare", AttemptOutcome.STOOD_IN, reply=says()))
    assert outcome(three, saved) == ("failed", "hop_failed")


def test_a_retry_at_the_same_hop_makes_good():
    """A hop that fails once and then answers has held."""
    assert outcome(plan(), seen(faulted(), errored(status=500), served())) == PASSED


def test_a_canary_key_turned_away_proves_nothing():
    """A 401 to our own made-up key is no failure of the hop."""
    turned_away = seen(faulted(), errored(status=401), reply=refused())
    assert outcome(plan(), turned_away) == ("inconclusive", "hop_not_forwardable")


def test_a_spare_hop_may_step_in_for_a_canary_turned_away():
    """The hop after it may serve then without being the wrong one."""
    three = plan(chain=("claude", "gemma", "spare"))
    stepped_in = seen(
        faulted(), errored(status=403), record("spare", AttemptOutcome.STOOD_IN, reply=says())
    )
    assert outcome(three, stepped_in) == ("inconclusive", "hop_not_forwardable")


def test_a_real_key_turned_away_fails_the_hop():
    """Without the canary a 401 is what users would get."""
    denied = seen(faulted(), errored(status=401, key_owner=KeyOwner.OTHER), reply=refused())
    assert outcome(plan(canary=False), denied) == ("failed", "hop_failed")


def test_a_busy_provider_is_unavailable_not_failed():
    """A genuine 429 of a remote hop is inconclusive, that of a local one is a failure."""
    busy = seen(faulted(), errored(status=429), reply=refused())
    assert outcome(plan(local=()), busy) == ("inconclusive", "hop_unavailable")
    assert outcome(plan(), busy) == ("failed", "hop_failed")


def test_a_hop_that_cannot_be_reached_has_failed():
    """No connection to a local engine fails the hop."""
    down = seen(faulted(), errored(status=None, reply=None), reply=refused())
    assert outcome(plan(), down) == ("failed", "hop_failed")


def test_an_engine_that_dies_in_mid_reply_has_failed():
    """An error or a break inside the hop's own 200 fails the hop."""
    dying = served(reply=says("The w", finish=None, error=fails(in_band=True).error))
    broken = served(reply=cut("The w"), whole=False)
    for last in (dying, broken):
        assert outcome(plan(), seen(faulted(), last, reply=refused())) == ("failed", "hop_failed")


def test_a_reply_that_the_gateway_left_does_not_fail_the_hop():
    """A reply is not broken by a gateway that stops listening."""
    left = served(whole=False, caller_left=True)
    assert outcome(plan(), seen(faulted(), left)) == PASSED


def test_a_hop_that_the_gateway_gave_up_on_has_failed():
    """A request that was passed on and never answered fails the hop."""
    silent = record("gemma", AttemptOutcome.REFUSED, status=None, caller_left=True)
    assert outcome(plan(), seen(faulted(), silent, reply=refused())) == ("failed", "hop_failed")


def test_a_hop_that_the_witness_may_not_forward_to_is_unknown():
    """Where the real address is not certain, nothing is known about the hop."""
    held_back = record("gemma", AttemptOutcome.REFUSED, status=400)
    assert outcome(plan(), seen(faulted(), held_back, reply=refused())) == (
        "inconclusive",
        "hop_not_forwardable",
    )


def test_a_recovered_primary_may_fail_by_itself():
    """With a fault that strikes once, the primary's second attempt is its own."""
    once = plan(fault="server_error.once", local=("claude", "gemma"))
    broken = seen(faulted(), errored("claude", status=500), served(), reply=got())
    assert outcome(once, broken) == ("failed", "hop_failed")


def test_a_missing_key_is_the_hops_without_a_canary():
    """A hop that demands a key which the gateway does not have fails users too."""
    denied = seen(faulted(), errored(status=401, key_owner=KeyOwner.NONE), reply=refused())
    assert outcome(plan(canary=False), denied) == ("failed", "hop_failed")


def test_a_provider_that_refuses_the_request_has_failed():
    """A remote 400 is no bad moment: it will be refused the next time too."""
    refusing = seen(faulted(), errored(message="Unknown field."), reply=refused())
    assert outcome(plan(local=()), refusing) == ("failed", "hop_failed")


def test_a_key_may_be_called_a_bad_request():
    """A provider that answers 400 to a made-up key has turned it away all the same."""
    turned_away = seen(faulted(), errored(message="API key not valid."), reply=refused())
    assert outcome(plan(local=()), turned_away) == ("inconclusive", "hop_not_forwardable")


def test_a_provider_that_is_busy_inside_its_200_is_unavailable():
    """An error inside the stream says its own status."""
    busy = served(reply=fails("Overloaded.", in_band=True, status=529))
    assert outcome(plan(local=()), seen(faulted(), busy, reply=refused())) == (
        "inconclusive",
        "hop_unavailable",
    )


def test_only_the_gateways_leaving_excuses_a_reply_without_an_end():
    """The hop's reply stopped because nobody listened any more."""
    left = served(reply=cut("The w"), whole=False, caller_left=True)
    found = verdict(plan(), seen(faulted(), left, reply=refused())).findings
    assert "hop_failed" not in {finding.kind for finding in found}


def test_a_page_in_place_of_a_reply_fails_the_hop():
    """A 200 that no client of the hop could read is none."""
    page = served(reply=Reading(defects=(DefectFound(Defect.NOT_JSON, "<html>"),)))
    assert outcome(plan(), seen(faulted(), page, reply=refused())) == ("failed", "hop_failed")


def test_a_client_that_gave_up_leaves_a_silent_hop_to_the_deadline():
    """The hop is late, and so is the reply; that says it once."""
    silent = record("gemma", AttemptOutcome.REFUSED, status=None)
    waiting = seen(faulted(), silent, reply=got(says(""), status=None, timed_out=True))
    assert outcome(plan(), waiting) == ("failed", "too_late")


def test_a_hop_that_our_own_end_cut_off_is_not_called_left_by_the_gateway():
    """With an answer from elsewhere it is unknown; with an error the hop was too slow for it."""
    three = plan(chain=("claude", "gemma", "spare"))
    cut_off = record("gemma", AttemptOutcome.REFUSED, status=None, cut=True)
    stepped_in = record("spare", AttemptOutcome.STOOD_IN, reply=says())
    assert outcome(three, seen(faulted(), cut_off, stepped_in)) == (
        "inconclusive",
        "hop_unavailable",
    )
    judged = verdict(plan(), seen(faulted(), cut_off, reply=refused("Boom.")))
    assert judged.kind == "hop_failed"
    assert judged.deciding is not None
    assert "gave up" not in judged.deciding.message
    assert "“Boom.”" in judged.deciding.message


def test_a_connection_that_we_cut_after_the_answer_does_not_fail_the_hop():
    """The answer was there; only the connection was still open."""
    lingering = served(whole=False, cut=True)
    assert outcome(plan(), seen(faulted(), lingering)) == PASSED


@pytest.mark.parametrize(("local", "way_out"), [(("gemma",), "engines:"), ((), "--real-keys")])
def test_who_turns_the_canary_away_is_told_the_key_that_helps(local, way_out):
    """Real keys are for hops that cost money; an engine of ours gets its key by its name."""
    turned_away = seen(faulted(), errored(status=401), reply=refused())
    assert way_out in (HOP_HELD.judge(plan(local=local), turned_away).remedy or "")


def test_an_upstream_that_redirects_has_failed_and_its_address_is_wrong():
    """Whoever follows carries the key along."""
    words = "status 307, a redirect to https://else.example/v1, which is not followed"
    moved = seen(faulted(), errored(message=words, status=307, reply=None), reply=refused())
    assert outcome(plan(), moved) == ("failed", "hop_failed")
    deciding = verdict(plan(), moved).deciding
    assert deciding is not None
    assert "api_base" in str(deciding.remedy)
    assert words in deciding.message


@pytest.mark.parametrize("canary", [True, False])
@pytest.mark.parametrize(
    ("status", "message"),
    [
        (404, "Not Found"),
        (404, "404 page not found"),
        (404, "File Not Found"),
        (405, "Method Not Allowed"),
        (401, "Unexpected endpoint or method. (POST /v1/responses)"),
        (404, '{"detail":"Not Found"}'),
        (
            404,
            "This is not a chat model and thus not supported in the v1/chat/completions endpoint.",
        ),
    ],
)
def test_a_hop_that_knows_no_such_endpoint_has_failed(canary, status, message):
    """Also with the canary key: it is not the key that it complains about."""
    denied = seen(faulted(), errored(status=status, message=message), reply=refused())
    judged = verdict(plan(canary=canary, surface="responses"), denied)
    assert judged.kind == "hop_failed"
    assert judged.deciding is not None
    assert "--surface chat_completions" in (judged.deciding.remedy or "")
    assert "use_chat_completions_api: true" in (judged.deciding.remedy or "")


def on_chat(reading, **changes):
    """Judge a hop without the endpoint that said *reading* on chat completions."""
    asked = plan(chain=("gemma",), depth=0, **changes)
    denied = seen(faulted(), errored(status=404, message="Not Found"), reply=refused())
    denied = replace(denied, on_chat=(Sample(asked, reading),))
    finding = verdict(plan(surface="responses", **changes), denied).deciding
    assert finding is not None
    assert finding.kind == "hop_failed"
    return finding.message, finding.remedy or ""


def test_a_hop_that_answers_on_chat_completions_needs_a_translation():
    """It is no question any more whether it would."""
    message, remedy = on_chat(says())
    assert message.endswith("“Not Found”; on chat completions the same hop answers well.")
    assert "Let LiteLLM (1.103.0 or later) translate" in remedy
    assert "use_chat_completions_api: true in the litellm_params of gemma" in remedy
    assert "--surface" not in remedy


@pytest.mark.parametrize("reading", [None, Reading()])
def test_a_hop_that_fails_on_chat_completions_too_is_not_there(reading):
    """Its address is more likely wrong than its endpoints few."""
    message, remedy = on_chat(reading)
    assert message.endswith("asked on chat completions, it fails there, too.")
    assert "api_base" in remedy
    assert "translate" not in remedy


def test_a_hop_that_answers_badly_on_chat_completions_is_not_praised():
    """A translation brings the answer, and not the tool call."""
    message, remedy = on_chat(says(), task=TOOL_TASK)
    assert "on chat completions the same hop answers, and" in message
    assert "answers well" not in message
    assert "translate" in remedy


def test_without_an_endpoint_for_chat_there_is_nothing_to_translate_to():
    """Then the address is wrong, or it is no chat model."""
    denied = seen(faulted(), errored(status=404, message="Not Found"), reply=refused())
    finding = verdict(plan(), denied).deciding
    assert finding is not None
    assert "api_base" in (finding.remedy or "")
    assert "translate" not in (finding.remedy or "")


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (401, "Incorrect API key provided for this endpoint", "hop_not_forwardable"),
        (401, "Unauthorized", "hop_not_forwardable"),
        (401, "Authentication is required for this endpoint", "hop_not_forwardable"),
        (403, "Access to this endpoint is denied", "hop_not_forwardable"),
        (404, "The model `gemma` does not exist.", "hop_failed"),
        (404, "model 'gemma' not found, try pulling it first", "hop_failed"),
    ],
)
def test_a_key_or_a_model_is_no_endpoint(status, message, kind):
    """Each has its own remedy."""
    denied = seen(faulted(), errored(status=status, message=message), reply=refused())
    judged = verdict(plan(), denied)
    assert judged.kind == kind
    assert judged.deciding is not None
    assert "endpoint" not in (judged.deciding.remedy or "")
