"""What is watched outlives a restart: how parts stand, how they changed, and heartbeats."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import URL

from supervisor.probes.kinds.heartbeat import Beats
from supervisor.probes.probe import Part, PartKind, State
from supervisor.probes.standing import Change, Standing
from supervisor.store import upkeep
from supervisor.store.records import Home
from supervisor.store.store import Store
from supervisor.store.upkeep import Limits
from tests.fakes.manual_clock import NOON, ManualClock
from tests.supervisor.store.conftest import HOME

ENGINE = Part(PartKind.ENGINE, "gemma")
GATEWAY = Part(PartKind.GATEWAY)
DOWN = Standing(ENGINE, State.DOWN, NOON, "nobody listens")
FELL = Change(ENGINE, State.UP, State.DOWN, NOON, NOON + timedelta(seconds=15), "nobody listens")


async def test_a_standing_outlives_a_restart(url: URL, clock: ManualClock):
    """State, since when, why, and what its probe must know come back."""
    async with Store.opened(url, HOME, clock) as first:
        await first.note_standing(DOWN, FELL, {"version": "0.32.0"})
    async with Store.opened(url, HOME, clock) as second:
        assert await second.stood() == {ENGINE: (DOWN, {"version": "0.32.0"})}
        assert await second.part_changes() == (FELL,)


async def test_a_later_standing_takes_the_place_of_the_earlier(store: Store):
    """One row a part; the changes are all kept, the newest first."""
    await store.note_standing(DOWN, FELL, None)
    up = replace(DOWN, state=State.UP, since=NOON + timedelta(minutes=1), reason="well")
    rose = replace(FELL, was=State.DOWN, state=State.UP)
    await store.note_standing(up, rose, None)
    await store.note_standing(replace(up, reason="well still"), None, [1])
    assert await store.stood() == {ENGINE: (replace(up, reason="well still"), [1])}
    assert await store.part_changes() == (rose, FELL)


async def test_parts_that_are_watched_no_more_are_forgotten(store: Store):
    """Their changes stay: they did happen."""
    await store.note_standing(DOWN, FELL, None)
    await store.note_standing(replace(DOWN, part=GATEWAY), None, None)
    await store.forget_parts((GATEWAY,))
    assert set(await store.stood()) == {GATEWAY}
    assert await store.part_changes() == (FELL,)


async def test_each_daemon_watches_for_itself(store: Store, url: URL, clock: ManualClock):
    """What one of two daemons of a store cannot reach, the other may."""
    await store.note_standing(DOWN, FELL, None)
    await store.expect(("backup",))
    async with Store.opened(url, Home("spark-2", HOME.gateway), clock) as other:
        assert await other.stood() == {}
        assert await other.part_changes() == ()
        assert not await other.beat("backup")
        await other.forget_parts(())
    assert set(await store.stood()) == {ENGINE}


async def test_changes_are_thinned_out_and_the_newest_kept(store: Store, monkeypatch):
    """Of a part that flaps the last changes stay, of a quiet one all."""
    monkeypatch.setattr(upkeep, "KEEP_PART_CHANGES", 3)
    quiet = replace(FELL, part=GATEWAY)
    await store.note_standing(replace(DOWN, part=GATEWAY), quiet, None)
    flaps = [replace(FELL, reason=str(number)) for number in range(8)]
    for change in flaps:
        await store.note_standing(DOWN, change, None)
    assert await store.retention(Limits()) == 5
    assert await store.part_changes() == (*reversed(flaps[-3:]), quiet)


async def test_a_heartbeat_is_counted(store: Store, clock: ManualClock):
    """Each sign of life is counted, and the last one's time is kept."""
    await store.expect(("backup", "eval"))
    assert await store.beats() == {
        "backup": Beats("backup", NOON, None, 0),
        "eval": Beats("eval", NOON, None, 0),
    }
    clock.advance(60)
    assert await store.beat("eval")
    clock.advance(60)
    assert await store.beat("eval")
    assert (await store.beats())["eval"] == Beats("eval", NOON, NOON + timedelta(minutes=2), 2)


async def test_a_sign_of_life_that_nobody_waits_for_is_refused(store: Store):
    """A misspelt name must not look like a heartbeat that came."""
    assert not await store.beat("nobody")
    assert await store.beats() == {}


async def test_expecting_again_forgets_only_what_is_not_expected(store: Store, clock: ManualClock):
    """A reload keeps what came, and drops what the configuration no longer names."""
    await store.expect(("backup", "eval"))
    await store.beat("eval")
    clock.advance(60)
    await store.expect(("eval", "report"))
    assert await store.beats() == {
        "eval": Beats("eval", NOON, NOON, 1),
        "report": Beats("report", NOON + timedelta(minutes=1), None, 0),
    }
