"""A drill through a small honest gateway, with all that it needs."""

import random
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp

from chaos.clock import SystemClock
from chaos.drill.driller import Driller
from chaos.drill.injectors.redirect import Redirect
from chaos.faults.kinds import FAULTS
from chaos.judge.checks import CHECKS
from chaos.protocol.dialects import DIALECTS
from chaos.protocol.surfaces import SURFACES
from chaos.scenario.expand import Catalogue, Selection, expand
from chaos.scenario.plan import DrillOptions
from chaos.traffic.shapes import SHAPES
from chaos.witness.server import Witness
from tests.fakes.gateway import FakeGateway
from tests.fakes.topologies import group, topology

CATALOGUE = Catalogue(faults=FAULTS, shapes=SHAPES, surfaces=SURFACES, dialects=DIALECTS)


PAID = group("paid", litellm_model="openai/paid")


OTHER = replace(PAID.deployments[0], id="other-id", upstream_model="other")


BACKUP = group("backup", litellm_model="openai/backup")


GATEWAY = topology({"paid": ["backup"], "backup": []}, groups={"paid": PAID, "backup": BACKUP})


@asynccontextmanager
async def drilling(gateway, **options):
    """Everything that a drill needs, against *gateway*."""
    async with (
        Witness().serving([("127.0.0.1", 0)]) as witness,
        aiohttp.ClientSession() as session,
        gateway.running() as url,
    ):
        injector = Redirect(witness, GATEWAY, url=url, key="sk-drill", session=session)
        yield (
            Driller(
                session=session,
                catalogue=CATALOGUE,
                checks=CHECKS,
                options=DrillOptions(**options),
                clock=SystemClock(),
                rng=random.Random(7),
                engines={},
            ),
            injector,
            witness,
        )


def scenario(fault="billing", shape="tool_call", *, stream=False, depth=1):
    """Choose one scenario of the little gateway."""
    wanted = Selection(("paid",), (fault,), (shape,), ("chat_completions",), stream, depth)
    (found,) = expand(GATEWAY, wanted, CATALOGUE)
    return found


def honest():
    """A gateway that walks its chain."""
    return FakeGateway({"paid": ["paid", "backup"]})
