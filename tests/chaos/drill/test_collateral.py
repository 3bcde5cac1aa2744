"""Whether other traffic feels the drills."""

from typing import cast

from chaos.drill.collateral import CollateralWatch
from chaos.errors import GatewayError
from chaos.gateway.client import Gateway
from chaos.judge.check import Kind
from tests.fakes.model_lists import FakeModelList

LANES = ("http://127.0.0.1:8941/lane/0",)


class Going:
    """A gateway that goes away in the middle of a campaign."""

    def __init__(self):
        self.asked = 0

    async def other_traffic(self):
        """Answer once."""
        self.asked += 1
        if self.asked > 1:
            raise GatewayError("gone", remedy="Start it.")
        return await FakeModelList().other_traffic()


async def watching(gateway):
    """Watch *gateway* from now on."""
    return await CollateralWatch.since_now(cast(Gateway, gateway), LANES)


async def test_a_gateway_that_is_as_it_was_felt_nothing():
    """The first drill is looked after."""
    assert await (await watching(FakeModelList())).after_drill() == ()


async def test_a_gateway_that_goes_in_mid_campaign_is_no_collateral():
    """The drill itself tells that the gateway is down; the campaign reports what it has."""
    assert await (await watching(Going())).after_drill() == ()


async def test_the_gateway_is_looked_at_after_the_first_drill_and_at_the_end():
    """Every twentieth is enough between them."""
    gateway = FakeModelList()
    look = await watching(gateway)
    assert await look.after_drill() == ()
    gateway.loses = True
    assert [await look.after_drill() for _ in range(6)] == [()] * 6
    assert look.refusal() is None
    assert await look.look() == ("deployment 2 vanished from group 'gpt'",)
    assert gateway.asked == 3


async def test_nothing_more_is_drilled_once_others_have_felt_a_drill():
    """One deployment is one too many."""
    gateway = FakeModelList()
    look = await watching(gateway)
    gateway.loses = True
    await look.after_drill()
    refused = look.refusal()
    assert refused is not None
    assert refused.kind is Kind.HALTED
    assert "vanished" in refused.reason
