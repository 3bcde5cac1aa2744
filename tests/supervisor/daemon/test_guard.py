"""May the daemon drill this now?"""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from chaos.gateway.other_traffic import Listed, OtherTraffic
from chaos.judge.check import Kind
from supervisor.campaign.guard import Guard
from supervisor.daemon.guard import DaemonGuard, limits_of
from supervisor.daemon.incidents import Incidents
from supervisor.settings.model import Settings
from supervisor.store.location import parse_url
from supervisor.store.records import Halt, Home, Used
from supervisor.store.store import Store
from tests.fakes.ledgers import entry, path
from tests.fakes.manual_clock import NOON, ManualClock
from tests.fakes.plans import one_scenario, plan_for
from tests.fakes.topologies import deployment, group, topology

PRICES = {"input_cost_per_token": 0.001, "output_cost_per_token": 0.001}


def plan_of(*, paid=False, real=False):
    """A drill of claude, before a local engine or a paid hop."""
    hop = "backup" if paid else "local"
    groups = {"backup": group("backup", **PRICES)} if paid else {}
    gateway = topology({"claude": [hop]}, groups)
    return plan_for(gateway, one_scenario(gateway, "claude"), real_keys=real)


@pytest.fixture
def clock() -> ManualClock:
    """Noon."""
    return ManualClock()


@pytest.fixture
async def guard(tmp_path: Path, clock: ManualClock):
    """A guard that lets everything through."""
    url = parse_url(str(tmp_path / "understudy.db"))
    async with (
        Store.opened(url, Home("spark-1", "http://g"), clock) as store,
        aiohttp.ClientSession() as session,
    ):
        yield DaemonGuard(Settings(), store, clock, Guard(session, {}), Incidents(), lambda: None)


async def test_an_ordinary_drill_may_be(guard: DaemonGuard):
    """And what it may use at the engine is set aside."""
    assert await guard.may_run(plan_of()) is None
    assert list(await guard.store.used_today()) == ["hosted_vllm"]


async def test_a_halt_forbids_every_drill(guard: DaemonGuard):
    """With its reason."""
    halted = replace(guard, halted=lambda: Halt("lunch", NOON))
    refusal = await halted.may_run(plan_of())
    assert refusal is not None
    assert (refusal.kind, refusal.reason) == (Kind.HALTED, "lunch")
    assert await guard.store.used_today() == {}


async def test_a_real_incident_forbids_drills_of_its_chain(guard: DaemonGuard):
    """Until its traffic has been well for a while."""
    listed = {"1": Listed("claude")}
    guard.incidents.note(OtherTraffic(listed), NOON)
    guard.incidents.note(OtherTraffic(listed, failed={"1": 1.0}), NOON)
    refusal = await guard.may_run(plan_of())
    assert refusal is not None
    assert refusal.kind is Kind.COOLDOWN_OPEN
    assert "claude failed once for users" in refusal.reason


async def test_drills_take_no_more_than_their_share_of_an_engine(
    guard: DaemonGuard, clock: ManualClock
):
    """Measured from their own durations over a day; a hop that nobody calls has none."""
    share = guard.settings.schedule.model_copy(update={"engine_share": 3 / 86_400})
    narrow = replace(guard, settings=guard.settings.model_copy(update={"schedule": share}))
    for n in range(3):
        await guard.store.add_drill(entry(f"d{n}", path("claude", "local")))
    refusal = await narrow.may_run(plan_of())
    assert refusal is not None
    assert refusal.kind is Kind.OVER_BUDGET
    assert "drills have taken 3 s of the last day at 'local'" in refusal.reason
    assert await narrow.may_run(plan_of(paid=True)) is None
    clock.advance(timedelta(days=1, seconds=1).total_seconds())
    assert await narrow.may_run(plan_of()) is None


async def test_money_is_not_spent_without_a_budget(guard: DaemonGuard):
    """Real keys alone are not enough; a stand-in costs nothing."""
    refusal = await guard.may_run(plan_of(paid=True, real=True))
    assert refusal is not None
    assert refusal.kind is Kind.OVER_BUDGET
    assert "today's drills may use 0.0000 USD a day" in refusal.reason
    assert await guard.may_run(plan_of(paid=True)) is None
    assert await guard.store.used_today() == {}


async def test_money_is_set_aside_before_it_is_spent(guard: DaemonGuard):
    """Prompt and longest answer, as often as the hop may be tried."""
    budget = guard.settings.budget.model_copy(update={"usd": 100.0})
    rich = replace(guard, settings=guard.settings.model_copy(update={"budget": budget}))
    assert await rich.may_run(plan_of(paid=True, real=True)) is None
    (used,) = (await guard.store.used_today()).values()
    assert used.requests >= 1
    assert used.cost_usd == pytest.approx(used.tokens * 0.001)


def test_the_limits_are_those_of_the_settings():
    """In all, and by provider."""
    settings = Settings.model_validate(
        {"budget": {"usd": 2, "tokens": 9, "providers": {"openai": {"requests": 3}}}}
    )
    limits = limits_of(settings)
    assert (limits.together.cost_usd, limits.together.tokens) == (2, 9)
    assert limits.providers["openai"].requests == 3
    assert limits.providers["openai"].cost_usd is None
    assert deployment("x").provider == "anthropic"
    assert Used() == Used(0, 0, 0.0)
