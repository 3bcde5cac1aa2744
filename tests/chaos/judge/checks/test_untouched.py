"""Tests of the check that other traffic did not feel the drill."""

from tests.fakes.observations import outcome, plan, usual, verdict


def test_what_changed_for_others_is_a_failure():
    """A cooled deployment of a bystander is collateral, and is quoted."""
    hurt = usual(collateral=("bystander is in cooldown", "another one too"))
    assert outcome(plan(), hurt) == ("failed", "collateral")
    deciding = verdict(plan(), hurt).deciding
    assert deciding is not None
    assert "bystander is in cooldown (and 1 more)" in deciding.message
