"""What is old goes, and what the ledger rests on stays; on both databases."""

from datetime import timedelta

from chaos.judge.check import Kind
from supervisor.coverage.ledger import PathState
from supervisor.store import upkeep
from supervisor.store.records import DrillFilter
from supervisor.store.store import Store
from supervisor.store.upkeep import Limits
from tests.fakes.ledgers import entry, path, wish
from tests.fakes.manual_clock import NOON, ManualClock

CLAUDE, GPT = path("claude"), path("gpt")
FEW = Limits(verdicts=5, failures=timedelta(days=90), evidence=timedelta(days=7))
DAY = timedelta(days=1)


async def ids(store: Store, **wanted) -> list[str]:
    """List the drills that are kept."""
    return [drill.row.id for drill in await store.drills(DrillFilter(**wanted))]


async def test_the_last_verdicts_of_every_path_are_kept_however_old(
    store: Store, clock: ManualClock
):
    """By count: a busy path does not push out a quiet one."""
    await store.add_drill(entry("quiet", GPT))
    for n in range(12):
        await store.add_drill(entry(f"d{n:02}", CLAUDE, at=NOON + n * DAY))
    clock.advance(365 * 86_400)
    assert await store.retention(FEW) > 0
    assert await ids(store) == ["d11", "d10", "d09", "d08", "d07", "quiet"]
    assert await store.retention(FEW) == 0


async def test_every_failure_is_kept_for_its_time(store: Store, clock: ManualClock):
    """However many passes came after it; then it goes as the others."""
    await store.add_drill(
        entry("bad", CLAUDE, kind=Kind.HOP_FAILED, fault="hang", faults=("hang", "billing"))
    )
    await store.add_drill(entry("good", CLAUDE, fault="hang", faults=("hang", "billing")))
    for n in range(12):
        await store.add_drill(entry(f"d{n:02}", CLAUDE, at=NOON + DAY))
    clock.advance(89 * 86_400)
    await store.retention(FEW)
    assert "bad" in await ids(store)
    clock.advance(2 * 86_400)
    await store.retention(FEW)
    assert "bad" not in await ids(store)


async def test_the_drill_behind_a_standing_verdict_is_kept(store: Store, clock: ManualClock):
    """What a path's state rests on can be looked at for as long as it does."""
    await store.add_drill(entry("proof", CLAUDE, fault="hang", faults=("hang", "billing")))
    for n in range(12):
        await store.add_drill(entry(f"d{n:02}", CLAUDE, at=NOON + DAY, faults=("hang", "billing")))
    clock.advance(365 * 86_400)
    await store.retention(FEW)
    assert "proof" in await ids(store)
    await store.sync({CLAUDE: wish()})
    assert (await store.verdicts(CLAUDE))["hang"].drill == "proof"


async def test_evidence_of_failures_is_kept_longer_than_of_passes(store: Store, clock: ManualClock):
    """The row stays either way."""
    await store.add_drill(entry("good", CLAUDE, seen={"a": 1}))
    await store.add_drill(entry("bad", GPT, kind=Kind.HOP_FAILED, seen={"a": 1}))

    async def seen() -> dict[str, bool]:
        found = {name: await store.drill(name) for name in ("good", "bad")}
        return {name: one is not None and one.seen is not None for name, one in found.items()}

    clock.advance(6 * 86_400)
    await store.retention(FEW)
    assert await seen() == {"good": True, "bad": True}
    clock.advance(2 * 86_400)
    await store.retention(FEW)
    assert await seen() == {"good": False, "bad": True}
    clock.advance(90 * 86_400)
    await store.retention(FEW)
    assert await seen() == {"good": False, "bad": False}
    assert sorted(await ids(store)) == ["bad", "good"]


async def test_the_days_are_counted_for_ever(store: Store, clock: ManualClock):
    """Drills that are gone are still in the roll-up."""
    for n in range(12):
        await store.add_drill(entry(f"d{n:02}", CLAUDE))
    await store.sync({CLAUDE: wish()})
    await store.retention(FEW)
    assert len(await ids(store)) == 5
    assert (await store.counts()).today == {"passed": 12}


async def test_changes_of_a_path_are_bounded(store: Store, monkeypatch):
    """A path that flaps must not fill the disk."""
    monkeypatch.setattr(upkeep, "KEEP_TRANSITIONS", 4)
    await store.sync({CLAUDE: wish()})
    for n in range(10):
        kind = Kind.HOP_FAILED if n % 2 else None
        await store.add_drill(entry(f"d{n}", CLAUDE, at=NOON + n * DAY, kind=kind))
    assert len(await store.changes()) == 10
    await store.retention(Limits())
    changes = await store.changes()
    assert [change.drill for change in changes] == ["d9", "d8", "d7", "d6"]
    assert (await store.ledger())[CLAUDE].state is PathState.FAILED


async def test_a_store_in_good_order_has_no_problems_and_can_be_packed(store: Store):
    """Checks find nothing, and a vacuum changes nothing but the size."""
    await store.add_drill(entry("d1", CLAUDE, seen={"a": 1}))
    assert await store.quick_check() == ()
    assert await store.check() == ()
    await store.vacuum()
    assert await ids(store) == ["d1"]
