"""Many requests over the end of an outage, through a small gateway with a cooldown."""

import asyncio
from dataclasses import replace

import pytest

from chaos.drill.drill import MAY_RUN, Refusal
from chaos.drill.report import row_of
from chaos.judge.check import Kind
from chaos.judge.observation import Stage
from chaos.judge.verdict import Outcome
from tests.fakes.drilling import drilling, scenario
from tests.fakes.gateway import FakeGateway
from tests.patience import PATIENCE_S

OUTAGE = scenario("outage.seconds_1", shape="chat")
EVERY_S = 0.05


def gateway(**changes):
    """A gateway that walks its chain, and stays away from what has failed."""
    return FakeGateway({"paid": ["paid", "backup"]}, **changes)


async def drilled(of, recover_within_s=PATIENCE_S, **changes):
    """Drill the outage; the drill."""
    options = {"every_s": EVERY_S, "recover_within_s": recover_within_s}
    async with drilling(of, **options) as (driller, injector, witness):
        drill = await replace(driller, **changes).drill(OUTAGE, injector)
        assert not witness._live
    return drill


def row(drill):
    """Its row in a report."""
    return row_of(drill, litellm_version="1.106.2")


async def test_an_outage_in_which_everybody_is_served_passes():
    """Each request was answered, by the fallback while it lasted, and the primary came back."""
    drill = await drilled(gateway())
    assert drill.verdict.outcome is Outcome.PASSED, drill.verdict.findings
    stages = [one.stage for one in drill.seen.exchanges]
    assert stages[0] is Stage.BEFORE
    assert stages[-1] is Stage.AFTER
    figures = row(drill).sequence
    assert figures is not None
    assert figures.requests == len(stages) == drill.requests
    assert (figures.lost, figures.lost_down) == (0, 0)
    # Without a cooldown each request knocks at the primary first.
    assert figures.attempts_down == figures.requests_down > 2
    assert figures.order[-1] == "paid"
    assert figures.back_after_s is not None
    assert figures.took_s > 1.0


async def test_a_cooldown_keeps_from_knocking():
    """One attempt, and then the hop is left alone; that is no failure of anything."""
    drill = await drilled(gateway(cooldown_s=1.5))
    assert drill.verdict.outcome is Outcome.PASSED, drill.verdict.findings
    figures = row(drill).sequence
    assert figures is not None
    assert figures.attempts_down == 1 < figures.requests_down
    assert figures.order == ("backup", "paid")


async def test_a_primary_that_stays_away_is_slow_to_recover():
    """Everybody was served, and all the same the drill fails."""
    drill = await drilled(gateway(cooldown_s=PATIENCE_S * 9), recover_within_s=0.3)
    assert (drill.verdict.outcome, drill.verdict.kind) == (Outcome.FAILED, Kind.SLOW_RECOVERY)
    figures = row(drill).sequence
    assert figures is not None
    assert (figures.lost, figures.back_after_s, figures.order) == (0, None, ("backup",))


async def test_requests_without_an_answer_are_lost():
    """A gateway that never falls back loses each request of the outage, and none after it."""
    drill = await drilled(gateway(falls_back=False))
    assert (drill.verdict.outcome, drill.verdict.kind) == (Outcome.FAILED, Kind.NEVER_TRIED)
    figures = row(drill).sequence
    assert figures is not None
    assert figures.lost == figures.lost_down == figures.requests_down > 2
    deciding = drill.verdict.deciding
    assert deciding is not None
    assert f"{figures.lost} of {figures.requests} requests were lost" in deciding.message


async def test_a_primary_that_does_not_serve_before_proves_nothing():
    """A cooldown that is open already would be taken for the outage's."""
    of = gateway(cooldown_s=PATIENCE_S * 9)
    async with drilling(of, every_s=EVERY_S, recover_within_s=0.3) as (driller, injector, _):
        first = await driller.drill(OUTAGE, injector)
        second = await driller.drill(OUTAGE, injector)
    assert first.verdict.kind is Kind.SLOW_RECOVERY
    assert (second.verdict.outcome, second.verdict.kind) == (
        Outcome.INCONCLUSIVE,
        Kind.COOLDOWN_OPEN,
    )


@pytest.mark.parametrize(("asked", "kind"), [(0, Kind.ENGINE_BUSY), (3, Kind.ENGINE_BUSY)])
async def test_the_guard_ends_it(asked, kind):
    """It is asked before each request: users come first, whenever they come."""
    times = 0

    async def may_sample(_):
        nonlocal times
        times += 1
        return Refusal(kind, "users wait", "Wait.") if times > asked else None

    drill = await drilled(gateway(), may_sample=may_sample)
    assert (drill.verdict.outcome, len(drill.seen.exchanges)) == (Outcome.INCONCLUSIVE, asked)
    assert drill.verdict.findings[-1].check == MAY_RUN


async def test_who_breaks_it_off_leaves_nothing_behind():
    """The lease is given back, and what was sent is counted."""
    of = gateway()
    async with drilling(of, every_s=EVERY_S, recover_within_s=1.0) as (driller, injector, witness):
        async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:
            task = group.create_task(driller.drill(OUTAGE, injector))
            while len(of.asked) < 3:
                await asyncio.sleep(0.01)
            task.cancel()
        drill = task.result()
        assert not witness._live
    assert drill.verdict.outcome is Outcome.ABORTED
    assert drill.requests == len(of.asked)
