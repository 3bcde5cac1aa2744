"""Through the gateway it has to serve what falls back to it."""

import pytest

from supervisor.rollout.exchange.gates.gateway import ASKED, gate
from supervisor.rollout.finding import Answer, Finding
from tests.fakes.swaps import swapping

URL = "http://127.0.0.1:9"


async def test_without_a_gateway_it_is_not_known(session):
    """Nobody was named who could be asked."""
    (one,) = await gate(swapping(URL, session))
    assert one == Finding("gateway", Answer.UNKNOWN, ASKED, "no gateway is named")


@pytest.mark.parametrize("answer", [Answer.OK, Answer.UNKNOWN, Answer.REFUSED])
async def test_what_the_gateway_shows_is_passed_on(session, answer):
    """As it is, whichever way it came out."""
    finding = Finding("gateway", answer, ASKED, "4 drills", "Look.")

    async def drilled() -> Finding:
        return finding

    (one,) = await gate(swapping(URL, session, through_gateway=drilled))
    assert one is finding
