"""Tests of what a hop's own reply amounts to."""

from dataclasses import replace

import pytest

from chaos.judge.hop_reply import gave_up_on, trouble, turned_away
from chaos.witness.wire_record import AttemptOutcome, KeyOwner
from tests.fakes.observations import cut, errored, fails, record, served


@pytest.mark.parametrize(
    ("of", "what"),
    [
        (errored(message="No such model.", status=404), "status 404"),
        (errored(message="refused", status=None, reply=None), "no reply"),
        (served(reply=fails("CUDA out of memory")), "CUDA out of memory"),
        (served(reply=cut("The w"), whole=False, sent_bytes=7), "broke off after 7 bytes"),
    ],
)
def test_what_is_no_answer_is_said(of, what):
    """With what the hop itself has said."""
    assert what in (trouble(of) or "")


def test_an_answer_is_no_trouble():
    """Nor is one that the gateway did not read to its end."""
    assert trouble(served()) is None
    assert trouble(served(reply=cut("The w"), whole=False, caller_left=True)) is None


def test_a_hop_that_was_given_up_had_not_answered():
    """One that the witness would not pass on was never asked."""
    assert gave_up_on(record("gemma", AttemptOutcome.REFUSED, status=None))
    assert not gave_up_on(record("gemma", AttemptOutcome.REFUSED, status=400))
    assert not gave_up_on(served())


@pytest.mark.parametrize(
    ("status", "message", "away"),
    [
        (401, "Unauthorized", True),
        (403, "no", True),
        (400, "API key not valid.", True),
        (400, "temperature is too high", False),
        (500, "api key", False),
    ],
)
def test_a_key_that_was_turned_away_says_nothing_of_the_hop(status, message, away):
    """It was ours, which only drills carry."""
    refused = errored(message=message, status=status)
    assert turned_away(refused) is away
    assert not turned_away(replace(refused, key_owner=KeyOwner.OTHER))
