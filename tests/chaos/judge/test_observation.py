"""Tests of observations."""

import dataclasses

import pytest

from chaos.judge.observation import ClientReply, Observation
from chaos.protocol.reading import Reading


@pytest.mark.parametrize(
    ("status", "ok"), [(None, False), (199, False), (200, True), (204, True), (300, False)]
)
def test_only_a_2xx_claims_success(status, ok):
    """No response is no success."""
    assert ClientReply(status=status, reading=Reading()).ok is ok


def test_an_observation_cannot_be_changed():
    """Checks see the same facts, whichever comes first."""
    observation = Observation(ClientReply(200, Reading()))
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(observation, "aborted", "later")  # noqa: B010 -- mypy would see through it
