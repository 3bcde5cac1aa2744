"""Whether other traffic feels the drills."""

from typing import cast

from chaos.drill.collateral import CollateralWatch
from chaos.errors import GatewayError
from chaos.gateway.client import Gateway
from chaos.judge.check import Kind
from tests.fakes.model_lists import FakeModelList


class Models:
    """A gateway whose model list is asked for; None stands for one that has gone."""

    def __init__(self, *lists: frozenset[tuple[str, str]] | None):
        self.lists = list(lists)

    async def model_ids(self):
        """Answer the next list."""
        found = self.lists.pop(0)
        if found is None:
            raise GatewayError("gone", remedy="Start it.")
        return found

    changes = staticmethod(Gateway.changes)


async def changes(*lists):
    """What is found after one drill."""
    look = await CollateralWatch.since_now(cast(Gateway, Models(*lists)))
    return await look.after_drill()


async def test_a_changed_model_list_is_collateral():
    """A deployment that stays behind is served to every caller."""
    before, after = frozenset({("gpt", "a")}), frozenset({("gpt", "a"), ("gpt", "b")})
    assert await changes(before, before) == ()
    assert await changes(before, after) == ("deployment b appeared in group 'gpt'",)


async def test_a_gateway_that_goes_in_mid_campaign_is_no_collateral():
    """The drill itself tells that the gateway is down; the campaign reports what it has."""
    assert await changes(frozenset({("gpt", "a")}), None) == ()


async def test_the_model_list_is_looked_at_after_the_first_drill_and_at_the_end():
    """A deployment that a redirect left behind would serve every caller."""
    gateway = FakeModelList()
    look = await CollateralWatch.since_now(cast(Gateway, gateway))
    assert await look.after_drill() == ()
    gateway.models |= {("claude", "left behind")}
    assert [await look.after_drill() for _ in range(6)] == [()] * 6
    assert look.refusal() is None
    assert await look.look() == ("deployment left behind appeared in group 'claude'",)
    assert gateway.asked == 3


async def test_nothing_more_is_drilled_once_others_have_felt_a_drill():
    """One deployment left behind is one too many."""
    gateway = FakeModelList()
    look = await CollateralWatch.since_now(cast(Gateway, gateway))
    gateway.models |= {("claude", "left behind")}
    await look.after_drill()
    refused = look.refusal()
    assert refused is not None
    assert refused.kind is Kind.HALTED
    assert "left behind" in refused.reason
