"""Tests of the check that the gateway is alive after a late fault."""

from dataclasses import replace

import pytest

from chaos.judge.checks.alive_after import judge
from tests.fakes.observations import got, plan, refused, usual


@pytest.mark.parametrize(
    ("after", "result"),
    [
        (None, "passed"),
        (got(), "passed"),
        (refused(status=429), "passed"),
        (refused(status=500), "failed"),
        (got(status=None, timed_out=True), "failed"),
        (got(status=None, broke_off="ServerDisconnectedError"), "failed"),
    ],
)
def test_who_is_not_served_any_more_is_told(after, result):
    """A key that is turned away has met a living gateway."""
    found = judge(plan(), replace(usual(), after=after))
    assert found.result == result
    assert found.kind == ("collateral" if result == "failed" else None)
