"""The face of the drill engine: everything is put together here, and nowhere else."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web

from chaos.drill.drill import Refusal
from chaos.drill.events import CampaignEnded, CampaignPlanned, DrillEnded, DrillStarted
from chaos.drill.injector import Injector, Objection
from chaos.drill.injectors.redirect import Redirect
from chaos.errors import UsageError
from chaos.judge.check import Kind
from chaos.judge.verdict import Outcome
from chaos.rehearsal import Rehearsal, RehearsalOptions
from chaos.scenario.expand import Selection
from tests.fakes.drilling import GATEWAY, scenario
from tests.fakes.model_lists import Losing
from tests.fakes.server import serving
from tests.fakes.topologies import group
from tests.fakes.whole_gateway import whole_gateway

CHAT = Selection(shapes=("chat",), stream=False)


@asynccontextmanager
async def rehearsal(models=None, *, topology=GATEWAY, said=None, **changes):
    """A rehearsal of the little gateway, with a witness that is already open."""
    guard = {"guard": changes.pop("guard")} if "guard" in changes else {}
    options = RehearsalOptions(injector="redirect", seed=1, **changes)
    async with (
        whole_gateway(models, topology) as (gateway, witness),
        Rehearsal.opened(
            gateway,
            options,
            witness=witness,
            say=(said if said is not None else []).append,
            **guard,
        ) as opened,
    ):
        yield opened


async def run(opened, scenarios, stop=None):
    """Everything that happens."""
    return [event async for event in opened.run(opened.plan(scenarios), stop)]


def drills(events):
    """The drills that ended."""
    return [event.drill for event in events if isinstance(event, DrillEnded)]


async def test_a_campaign_is_planned_drilled_and_ended():
    """Listeners get each plan once, by the id under which its drill begins and ends."""
    async with rehearsal() as opened:
        chosen = opened.scenarios(CHAT)
        events = await run(opened, chosen)
    planned, *between, end = events
    assert isinstance(planned, CampaignPlanned)
    assert isinstance(end, CampaignEnded)
    assert end == CampaignEnded()
    ids = [plan.id for plan in planned.plans]
    assert [e.plan.id for e in between if isinstance(e, DrillStarted)] == ids
    assert [drill.plan.id for drill in drills(events)] == ids
    assert {drill.verdict.outcome for drill in drills(events)} == {Outcome.PASSED}
    assert len(ids) == len(chosen)
    assert opened.spending.requests == len(ids) + 1  # one to see how fast the gateway is


async def test_what_the_last_drill_left_behind_is_found_at_the_end():
    """A deployment that stays is served to every caller, whichever drill left it."""
    async with rehearsal(Losing(2)) as opened:
        events = await run(opened, [scenario()] * 3)
    assert {drill.verdict.outcome for drill in drills(events)} == {Outcome.PASSED}
    end = events[-1]
    assert isinstance(end, CampaignEnded)
    assert end.revised is not None
    assert end.revised.verdict.kind is Kind.COLLATERAL
    assert end.revised.plan.id == drills(events)[-1].plan.id


async def test_a_campaign_that_others_feel_is_halted():
    """Every further drill could leave one more behind."""
    async with rehearsal(Losing(1)) as opened:
        first, second, third = drills(await run(opened, [scenario()] * 3))
    assert first.verdict.kind is Kind.COLLATERAL
    assert [drill.verdict.kind for drill in (second, third)] == [Kind.HALTED] * 2


async def test_the_guard_is_asked_before_each_drill_and_each_sample():
    """Whoever opens a rehearsal decides once when an engine may be asked."""
    asked: list[tuple[str, str]] = []

    async def guard(plan):
        asked.append((plan.scenario.group, plan.id))
        return Refusal(Kind.ENGINE_BUSY, "users wait", "later") if len(asked) > 3 else None

    # Both hops are local, and the serving one calls no tool: it is sampled directly.
    async with forgetful_engine() as url:
        local = group("backup", litellm_model="hosted_vllm/backup", base_url=url)
        topology = replace(GATEWAY, groups={**GATEWAY.groups, "backup": local})
        async with rehearsal(topology=topology, guard=guard) as opened:
            first, second = drills(await run(opened, [scenario()] * 2))
    # The drill and its first sample were let through, the second sample was not, nor was what
    # came after it.
    assert [name for name, _ in asked] == ["paid", "paid", "backup", "backup", "paid"]
    assert len({identity for _, identity in asked[:4]}) == 1
    assert (first.requests, len(first.seen.direct)) == (2, 1)
    assert second.verdict.kind is Kind.ENGINE_BUSY


@asynccontextmanager
async def forgetful_engine():
    """An engine that calls no tool."""

    async def handle(request):
        body = await request.json()
        choice = {"index": 0, "message": {"content": "No."}, "finish_reason": "stop"}
        return web.json_response({"id": "1", "model": body["model"], "choices": [choice]})

    async with serving(handle) as url:
        yield f"{url}/v1"


async def test_stopping_ends_the_campaign_with_what_it_has():
    """The running drill is aborted, those that wait are not begun."""
    stop = asyncio.Event()
    async with rehearsal() as opened:
        planned = opened.plan([scenario("hang"), scenario(), scenario()])
        events = []
        async for event in opened.run(planned, stop):
            events.append(event)
            if isinstance(event, DrillStarted):
                stop.set()
    assert [drill.verdict.outcome for drill in drills(events)] == [Outcome.ABORTED]
    assert events[-1] == CampaignEnded(stopped=True)


async def test_a_listener_that_leaves_ends_what_runs():
    """No drill goes on that nobody hears of, and its lane is free again."""
    async with rehearsal() as opened:
        async with aclosing(opened.run(opened.plan([scenario("hang")]))) as events:
            async for event in events:
                if isinstance(event, DrillStarted):
                    break
        assert opened._witness._live == {}
        (drill,) = drills(await run(opened, [scenario()]))
    assert drill.verdict.outcome is Outcome.PASSED


class Objecting(Redirect):
    """Objects to what it is told to."""

    objections: Mapping[str, Objection]

    def objection(self, scenario):
        """Look it up."""
        return self.objections.get(scenario.group)


def ways(opened, *tables):
    """Give the rehearsal one injector for each table of objections."""
    made: list[Injector] = []
    for name, table in zip(("redirect", "twin"), tables, strict=False):
        injector = Objecting(opened._witness, opened.topology, gateway=opened._gateway)
        vars(injector).update(name=name, objections=table)
        made.append(injector)
    opened._injectors = tuple(made)
    planner = opened._planners["redirect"]
    opened._planners = {one.name: replace(planner, injector=one.name) for one in made}


UNSURE = Objection("cannot tell", "do that")


async def test_the_first_way_without_an_objection_is_taken_and_the_reason_told():
    """People see why a twin was started."""
    said: list[str] = []
    async with rehearsal(said=said) as opened:
        ways(opened, {"paid": UNSURE}, {})
        (assignment,) = opened.plan([scenario()])
    assert (assignment.plan.injector, assignment.refusal) == ("twin", None)
    assert said == ["paid: twin, no redirect: cannot tell"]


async def test_a_scenario_without_a_way_is_refused_by_itself():
    """Others are still drilled."""
    async with rehearsal() as opened:
        ways(opened, {"paid": UNSURE})
        (assignment,) = opened.plan([scenario()])
        (drill,) = drills([e async for e in opened.run([assignment])])
    assert assignment.refusal == Refusal(UNSURE.kind, "cannot tell", "do that")
    assert (drill.verdict.kind, drill.requests) == (Kind.HOP_NOT_FORWARDABLE, 0)


async def test_money_is_kept_within_the_budget_of_the_rehearsal():
    """A paid hop that must serve for real is refused where nobody allowed to pay."""
    drills_ = replace(RehearsalOptions().drills, real_keys=True)
    async with rehearsal(drills=drills_) as opened:
        (drill,) = drills(await run(opened, [scenario()]))
    assert drill.verdict.kind is Kind.OVER_BUDGET


@pytest.mark.parametrize("injector", ["auto", "redirect"])
async def test_without_gateway_and_configuration_there_is_nothing_to_drill_with(injector):
    """It says what is missing before anything is sent; nothing passes for want of a gateway."""
    options = RehearsalOptions(injector=injector, witness_listen=(("127.0.0.1", 0),))
    with pytest.raises(UsageError, match="redirect needs a running gateway"):
        async with Rehearsal.opened(None, options):
            pass
