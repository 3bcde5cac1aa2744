"""A hop's key in the client's reply is a finding, in whatever part and however the drill ends."""

from dataclasses import replace
from types import SimpleNamespace

from chaos.judge.check import Kind, Result
from chaos.judge.checks.keys_kept import KEYS_KEPT
from chaos.judge.known_gaps import explanation
from tests.fakes.failures import failed_finding, failure
from tests.fakes.observations import faulted, plan, refused, seen, usual


def test_a_reply_without_a_key_passes():
    """The usual case."""
    assert KEYS_KEPT.judge(plan(), usual()).result is Result.PASSED


def test_a_key_in_a_reply_or_an_error_fails():
    """An honest error may name it too."""
    for observation in (usual(), seen(faulted(), reply=refused())):
        reply = replace(observation.reply, disclosed=("the header x-debug", "the body"))
        found = KEYS_KEPT.judge(plan(), replace(observation, reply=reply))
        assert found.result is Result.FAILED
        assert "the header x-debug and the body" in found.message


def test_no_gap_and_no_user_can_accept_it():
    """It shares its kind with smaller things, and is not one of them."""
    gap = SimpleNamespace(source="somewhere", explains=lambda failure: True)
    small = failed_finding(Kind.ANSWER_DEGRADED)
    shown = replace(small, check="keys_kept")
    assert explanation([gap], failure(small)) == "somewhere"
    assert explanation([gap], failure(small, shown)) is None
