"""Drills that have ended, on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chaos.judge.check import Kind
from supervisor.coverage.ledger import PathState
from supervisor.store.errors import StoreError
from supervisor.store.records import DrillFilter, Used
from supervisor.store.store import Store
from tests.fakes.ledgers import entry, path, wish
from tests.fakes.manual_clock import NOON, ManualClock

CLAUDE, GPT = path("claude"), path("gpt")


async def test_a_drill_is_written_with_everything_that_follows(store: Store):
    """Its row, its evidence, its path's state, the change, and the day's count."""
    await store.sync({CLAUDE: wish()})
    made = entry("d1", CLAUDE, seen={"reply": {"status": 200}})
    change = await store.add_drill(made)
    assert change is not None
    assert (change.was, change.state, change.drill) == (
        PathState.NEVER_PROVEN,
        PathState.PROVEN,
        "d1",
    )
    stored = await store.drill("d1")
    assert stored is not None
    assert stored.row == made.row
    assert stored.seen == {"reply": {"status": 200}}
    assert (stored.path, stored.daemon, stored.ended_at) == (CLAUDE, "spark-1", NOON)
    assert (await store.counts()).today == {"passed": 1}


async def test_a_drill_that_was_judged_anew_takes_the_place_of_the_old_one(store: Store):
    """It is there once, and counted once, as what it is now."""
    await store.sync({CLAUDE: wish()})
    await store.add_drill(entry("d1", CLAUDE, seen={"first": True}))
    change = await store.add_drill(entry("d1", CLAUDE, kind=Kind.COLLATERAL, seen={"second": True}))
    assert change is not None
    assert change.state is PathState.FAILED
    (stored,) = await store.drills()
    assert stored.row.kind is Kind.COLLATERAL
    assert {n: c for n, c in (await store.counts()).today.items() if c} == {"failed": 1}
    evidence = await store.drill("d1")
    assert evidence is not None
    assert evidence.seen == {"second": True}


async def test_a_drill_of_a_path_that_is_not_rehearsed_is_kept_too(store: Store):
    """It is history, and no part of the coverage."""
    await store.add_drill(entry("d1", GPT, faults=None))
    assert (await store.drill("d1")) is not None
    assert await store.ledger() == {}
    assert await store.due() is None


async def test_drills_are_listed_newest_first_and_by_what_is_asked(
    store: Store, clock: ManualClock
):
    """Group, path, outcome, kind, time, and a page at a time."""
    for n in range(6):
        one = CLAUDE if n % 2 else GPT
        kind = Kind.HOP_FAILED if n == 3 else None
        await store.add_drill(entry(f"d{n}", one, at=NOON + timedelta(minutes=n), kind=kind))

    async def ids(**wanted):
        return [drill.row.id for drill in await store.drills(DrillFilter(**wanted))]

    assert await ids() == ["d5", "d4", "d3", "d2", "d1", "d0"]
    assert await ids(group="claude") == ["d5", "d3", "d1"]
    assert await ids(path="gpt/general") == ["d4", "d2", "d0"]
    assert await ids(path="GPT/general") == []
    assert await ids(path="%") == []
    assert await ids(path=str(GPT), limit=2) == ["d4", "d2"]
    assert await ids(path=str(GPT), limit=2, before="d2") == ["d0"]
    assert await ids(outcome="failed") == ["d3"]
    assert await ids(kind="hop_failed") == ["d3"]
    assert await ids(since=NOON + timedelta(minutes=4)) == ["d5", "d4"]
    assert await ids(limit=2) == ["d5", "d4"]
    assert await ids(limit=2, before="d4") == ["d3", "d2"]
    assert await ids(gateway="http://elsewhere") == []


async def test_a_drill_is_found_by_the_beginning_of_its_id(store: Store):
    """If that names one; wildcards are nothing but characters."""
    await store.add_drill(entry("abc123"))
    await store.add_drill(entry("abd456"))
    found = await store.drill("abc")
    assert found is not None
    assert found.row.id == "abc123"
    assert await store.drill("ab") is None
    assert await store.drill("%") is None
    assert await store.drill("xyz") is None


async def test_what_a_drill_used_comes_back(store: Store):
    """Requests, tokens, and money to the nano-dollar."""
    await store.add_drill(
        replace(entry("d1"), requests=3, used={"anthropic": Used(3, 1234, 0.000_012_5)})
    )
    stored = await store.drill("d1")
    assert stored is not None
    assert (stored.requests, stored.tokens, stored.cost_usd) == (3, 1234, 0.000_012_5)


async def test_keys_in_a_row_are_masked(store: Store):
    """Whoever repeated them: the store is the last door before the disk."""
    key = "sk-ant-" + "a1" * 20
    made = entry("d1")
    reply = made.row.reply.model_copy(update={"claimed_by": key})
    await store.add_drill(replace(made, row=made.row.model_copy(update={"reply": reply})))
    stored = await store.drill("d1")
    assert stored is not None
    assert key not in stored.row.model_dump_json()


@pytest.mark.filterwarnings("ignore:Pydantic serializer")
async def test_a_row_of_a_newer_understudy_is_said_and_not_guessed(store: Store):
    """No traceback: the version is what has to change."""
    made = entry("d1")
    surface = made.row.scenario.model_copy(update={"trigger": "a trigger of tomorrow"})
    await store.add_drill(replace(made, row=made.row.model_copy(update={"scenario": surface})))
    with pytest.raises(StoreError, match=r"'scenario\.trigger' that this Understudy does not"):
        await store.drills()
