"""Tests of kinds and findings."""

import pytest

from chaos.judge.check import MEANINGS, NOTHING_PROVEN, Kind, Result, Where, failed, passed, unknown


def test_kinds_are_declared_in_the_order_of_precedence():
    """The order is part of the contract: what is listed first decides."""
    assert [kind.precedence for kind in Kind] == list(range(len(Kind)))
    assert Kind.NO_FALLBACK.precedence == 0
    assert Kind.HOP_FAILED.precedence < Kind.TOOL_CALL_LEAKED.precedence


def test_reasons_come_after_all_failures():
    """From fault_not_hit on, a kind says why nothing could be told."""
    reasons = [kind for kind in Kind if kind.is_reason]
    assert reasons[0] is Kind.FAULT_NOT_HIT
    assert reasons[-1] is Kind.HALTED
    assert not Kind.COLLATERAL.is_reason


def test_every_kind_has_a_meaning_in_one_sentence():
    """Whoever adds a kind says what it means; the documentation's table is made of it."""
    assert list(MEANINGS) == list(Kind)
    assert all(len(told) < 90 and told.endswith(".") for told in MEANINGS.values())


def test_what_proves_nothing_is_a_reason():
    """No failure may hide a failure."""
    assert all(kind.is_reason for kind in NOTHING_PROVEN)


@pytest.mark.parametrize(
    "kind", [Kind.HOP_UNAVAILABLE, Kind.HOP_NOT_FORWARDABLE, Kind.MODEL_UNRELIABLE]
)
def test_doubts_about_a_hop_do_not_hide_failures(kind):
    """The fault was hit, so whatever failed has failed."""
    assert kind not in NOTHING_PROVEN


def test_findings_carry_what_their_makers_were_given():
    """A pass has no kind, a failure somebody to blame, an unknown a reason."""
    assert (passed("x", "Well.").kind, passed("x", "Well.").where) == (None, None)
    broken = failed("x", Kind.WRONG_HOP, "Wrong.", where=Where.GATEWAY, hop="a", remedy="Mend.")
    assert (broken.result, broken.kind, broken.where) == (
        Result.FAILED,
        Kind.WRONG_HOP,
        Where.GATEWAY,
    )
    assert (broken.hop, broken.remedy) == ("a", "Mend.")
    doubt = unknown("x", Kind.CACHED_REPLY, "Cached.")
    assert (doubt.result, doubt.kind, doubt.where) == (Result.UNKNOWN, Kind.CACHED_REPLY, None)
