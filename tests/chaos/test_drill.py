"""One drill, from lease to verdict, through a small honest gateway."""

import random
from contextlib import asynccontextmanager

import aiohttp
import pytest

from chaos.check import Kind
from chaos.checks import CHECKS
from chaos.clock import SystemClock
from chaos.dialects import DIALECTS
from chaos.drill import Driller, engines_of
from chaos.faults import FAULTS
from chaos.injectors.redirect import Redirect
from chaos.plan import DrillOptions
from chaos.scenario import Catalogue, Selection, expand
from chaos.surfaces import SURFACES
from chaos.traffic_shapes import SHAPES
from chaos.verdict import Outcome
from chaos.wire import AttemptOutcome
from chaos.witness import LANES, Witness
from tests.fakes.gateway import FakeGateway
from tests.fakes.topologies import group, topology

CATALOGUE = Catalogue(faults=FAULTS, shapes=SHAPES, surfaces=SURFACES, dialects=DIALECTS)
PAID = group("paid", litellm_model="openai/paid")
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


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("shape", ["chat", "tool_call"])
async def test_a_fallback_that_holds_passes(shape, stream):
    """The primary was hit, the expected hop answered, and the answer has all that was asked."""
    async with drilling(honest()) as (driller, injector, _):
        drill = await driller.drill(scenario(shape=shape, stream=stream), injector)
    assert drill.verdict.outcome is Outcome.PASSED, drill.verdict.findings
    assert [(r.group, r.outcome) for r in drill.seen.wire] == [
        ("paid", AttemptOutcome.FAULTED),
        ("backup", AttemptOutcome.STOOD_IN),
    ]


async def test_a_gateway_that_never_falls_back_fails():
    """The chain exists, and no hop of it was contacted."""
    gateway = FakeGateway({"paid": ["paid", "backup"]}, falls_back=False)
    async with drilling(gateway) as (driller, injector, _):
        drill = await driller.drill(scenario(), injector)
    assert (drill.verdict.outcome, drill.verdict.kind) == (Outcome.FAILED, Kind.NEVER_TRIED)


async def test_everything_down_passes_with_one_honest_error():
    """At full depth an error is the right answer."""
    async with drilling(honest()) as (driller, injector, _):
        drill = await driller.drill(scenario(depth=2), injector)
    assert drill.verdict.outcome is Outcome.PASSED, drill.verdict.findings


async def test_a_gateway_that_refuses_proves_nothing():
    """The fault was not hit: inconclusive, never passed and never failed."""
    gateway = FakeGateway({"paid": ["paid"]}, refuses=401)
    async with drilling(gateway) as (driller, injector, _):
        drill = await driller.drill(scenario(), injector)
    assert drill.verdict.outcome is Outcome.INCONCLUSIVE
    assert drill.seen.wire == ()


async def test_a_hang_ends_at_the_deadline_and_frees_its_lane():
    """A gateway that waits for ever is too late, and the next drill has all lanes again."""
    async with drilling(honest(), deadline_s=0.3) as (driller, injector, witness):
        drill = await driller.drill(scenario("hang"), injector)
        lanes = [
            (await witness.lease(nonce=f"0000000{n}", hops=[], ttl_s=5)).lane for n in range(LANES)
        ]
    assert (drill.verdict.outcome, drill.verdict.kind) == (Outcome.FAILED, Kind.TOO_LATE)
    assert sorted(lanes) == list(range(LANES))


async def test_the_request_carries_a_canary_and_no_real_key():
    """No provider key leaves the gateway for the witness."""
    gateway = honest()
    async with drilling(gateway) as (driller, injector, _):
        drill = await driller.drill(scenario(), injector)
    (body,) = gateway.asked
    assert drill.plan.canary
    assert "api_key" not in body  # taken out by the gateway, for all of its hops
    assert {r.key_owner.value for r in drill.seen.wire} == {"canary"}


async def test_a_seed_replays_ids_and_nonces():
    """A drill that cannot be replayed cannot be argued about."""
    found = []
    for _ in range(2):
        async with drilling(honest()) as (driller, injector, _witness):
            drill = await driller.drill(scenario(), injector)
            found.append((drill.plan.id, drill.plan.nonce))
    assert found[0] == found[1]


def test_only_local_groups_with_one_address_have_an_engine():
    """Counters are read where they are known to be the serving hop's own."""
    assert engines_of(topology({"paid": ["local-a"], "local-a": []})) == {
        "local-a": "http://127.0.0.1:8000/v1"
    }
