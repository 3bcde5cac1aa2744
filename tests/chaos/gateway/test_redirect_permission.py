"""The permission to redirect: exactly the lanes, and nothing else."""

import re

import pytest
import yaml

from chaos.gateway.redirect_permission import (
    lane_urls,
    permission_lines,
    permission_pattern,
    permits,
    redirect_permission,
)
from tests.fakes.topologies import PERMISSION

LANES = lane_urls("http://127.0.0.1:8941")


def test_the_pattern_permits_the_lanes_and_nothing_else():
    """It is what the documentation writes, for the address at hand."""
    assert permission_pattern(LANES) == PERMISSION
    lanes = tuple(f"http://host.docker.internal:8941/lane/{n}" for n in range(4))
    pattern = permission_pattern(lanes)
    assert all(re.match(pattern, lane) for lane in lanes)
    for other in ("/lane/4", "/lane/0\n", "/lane/00", "/lane/0/x"):
        assert not re.match(pattern, f"http://host.docker.internal:8941{other}")
    assert not re.match(pattern, "http://hostxdocker.internal:8941/lane/0")


def test_the_lines_are_yaml():
    """They can be pasted as they are."""
    assert yaml.safe_load(permission_lines(LANES)) == {
        "configurable_clientside_auth_params": [{"api_base": PERMISSION}]
    }


@pytest.mark.parametrize(
    ("pattern", "allowed"),
    [
        (PERMISSION, True),
        (r"^http://127\.0\.0\.1:8941/lane/[0-1]\Z", False),
        (r"^http://127\.0\.0\.1:9999/lane/[0-3]\Z", False),
        (r"^http://.*", True),
        ("([", False),
        (None, False),
    ],
)
def test_the_permission_has_to_cover_every_lane(pattern, allowed):
    """A drill takes whichever lane is free."""
    assert permits(pattern, LANES) is allowed


@pytest.mark.parametrize("lane", range(4))
def test_a_lane_of_the_witness_is_allowed(lane: int):
    """All four lanes are open."""
    assert re.match(redirect_permission(18941), f"http://127.0.0.1:18941/lane/{lane}")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:18941/lane/4",
        "http://127.0.0.1:18941/lane/0/",
        "http://127.0.0.1:18941/lane/0\n",
        "http://127.0.0.1:18942/lane/0",
        "http://127x0x0x1:18941/lane/0",
        "https://example.invalid/http://127.0.0.1:18941/lane/0",
    ],
)
def test_nothing_else_is_allowed(url: str):
    """No other address passes LiteLLM's match."""
    assert re.match(redirect_permission(18941), url) is None
