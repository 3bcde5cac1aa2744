"""Tests of who is to blame for a wrong answer."""

from dataclasses import replace

import pytest

from chaos.judge.blame import Problem, Side, lay_blame
from chaos.judge.check import Kind, Result, Where
from chaos.witness.wire_record import AttemptOutcome
from tests.fakes.observations import (
    NONCE,
    fails,
    faulted,
    got,
    plan,
    record,
    sampled,
    says,
    seen,
    served,
)

GOOD, BAD, UGLY = says("good"), says("bad"), says("ugly")


def _problem(of, reading, side):
    del of, side
    if reading.text == "good":
        return None
    return Problem(Kind.ANSWER_DEGRADED, f"is {reading.text}", certain=reading.text == "ugly")


def _blamed(client, *wire, direct=()):
    observation = seen(faulted(), *wire, reply=got(client), direct=sampled(*direct))
    return lay_blame("x", plan(), observation, _problem, good="Good.", remedy="Mend it.")


def test_a_good_answer_has_nobody_to_blame():
    """What the hop said does not matter if the client is well."""
    assert _blamed(GOOD, served(reply=BAD)).result is Result.PASSED


def test_a_good_hop_makes_it_the_gateways():
    """What was right on the wire and is wrong at the client broke in between."""
    finding = _blamed(BAD, served(reply=GOOD))
    assert (finding.where, finding.hop) == (Where.GATEWAY, "gemma")
    assert "though gemma itself answered rightly" in finding.message


def test_a_broken_form_makes_it_the_hops_at_once():
    """No sample would mend it."""
    finding = _blamed(UGLY, served(reply=UGLY), direct=(GOOD,) * 3)
    assert (finding.result, finding.where) == (Result.FAILED, Where.HOP)


@pytest.mark.parametrize(
    ("direct", "result"),
    [
        ((), Result.UNKNOWN),
        ((BAD,), Result.UNKNOWN),
        ((BAD, GOOD, GOOD), Result.UNKNOWN),
        ((BAD, GOOD, BAD), Result.FAILED),
        ((fails(), GOOD, None), Result.FAILED),
    ],
)
def test_two_misses_make_it_the_models(direct, result):
    """Fewer prove nothing about the model; an error is a miss."""
    finding = _blamed(BAD, served(reply=BAD), direct=direct)
    assert finding.result is result
    assert finding.where is (Where.MODEL if result is Result.FAILED else None)


def test_without_a_willing_hop_it_is_the_gateways():
    """Nobody but the gateway can have made up an answer that no hop gave."""
    assert _blamed(BAD).where is Where.GATEWAY
    assert _blamed(BAD, record("gemma", AttemptOutcome.STOOD_IN, reply=BAD)).where is (
        Where.GATEWAY
    )


def test_each_reply_is_judged_by_its_own_side_and_its_own_request():
    """A sample is the hop's own reply to a request with a nonce of its own."""
    looked_at = []

    def note(of, reading, side):
        looked_at.append((of.nonce, side))
        return _problem(of, reading, side)

    direct = sampled(BAD, nonce="00c0ffee")
    observation = seen(faulted(), served(reply=BAD), reply=got(BAD), direct=direct)
    lay_blame("x", plan(), observation, note, good="Good.", remedy="Mend it.")
    assert looked_at == [
        (NONCE, Side.CLIENT),
        (NONCE, Side.UPSTREAM),
        ("00c0ffee", Side.UPSTREAM),
    ]


def test_the_hop_whose_answer_it_is_is_looked_at():
    """Not simply the last one that answered."""
    finding = _blamed(BAD, served("gpt", reply=BAD), served(reply=GOOD))
    assert finding.hop == "gpt"


def test_a_reply_that_nobody_read_cannot_clear_the_gateway():
    """Where the hop's wire format is not read, the client's answer stands as it is."""
    finding = _blamed(BAD, replace(served(), reply=None))
    assert (finding.result, finding.where) == (Result.FAILED, Where.GATEWAY)


def test_output_of_a_failing_hop_is_the_gateways_to_hand_on():
    """A hop that was made to fail is not blamed for what it said."""
    finding = _blamed(UGLY, faulted(status=200, reply=UGLY))
    assert finding.where is Where.GATEWAY
