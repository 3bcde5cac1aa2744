"""The newest snapshot, the same for every reader."""

from pathlib import Path

import pytest

from supervisor.daemon.board import YOUNG_S, Board
from supervisor.status import Condition, Running
from supervisor.store.errors import StoreError
from supervisor.store.location import parse_url
from supervisor.store.records import Home
from supervisor.store.store import Store
from tests.fakes.ledgers import entry, path, wish
from tests.fakes.manual_clock import NOON, ManualClock

CLAUDE = path("claude")


@pytest.fixture
def clock() -> ManualClock:
    """Noon."""
    return ManualClock()


@pytest.fixture
async def board(tmp_path: Path, clock: ManualClock):
    """A board over a store with one path that is proven."""
    url = parse_url(str(tmp_path / "understudy.db"))
    async with Store.opened(url, Home("spark-1", "http://g"), clock) as store:
        await store.sync({CLAUDE: wish()})
        await store.add_drill(entry("d1", CLAUDE))
        yield Board(
            store,
            Condition("spark-1", "http://g", "1", NOON, "the store"),
            clock,
            tmp_path / "halt",
        )


async def test_every_reader_gets_the_same_snapshot(board: Board):
    """One object, until something happens."""
    first = await board.status()
    assert await board.status() is first
    assert list(first.paths) == [CLAUDE]
    assert first.coverage_ratio == 1.0


async def test_news_and_time_make_a_new_one(board: Board, clock: ManualClock):
    """What has happened is seen at once, and what nobody said, soon."""
    first = await board.status()
    board.news()
    second = await board.status()
    assert second is not first
    clock.advance(YOUNG_S / 2)
    assert await board.status() is second
    clock.advance(YOUNG_S)
    assert await board.status() is not second


async def test_what_is_noted_is_in_the_next_one(board: Board):
    """And noting what is known already is no news."""
    first = await board.status()
    assert not board.note(gateway_trouble=None)
    assert await board.status() is first
    assert board.note(gateway_trouble="it is down")
    assert (await board.status()).problems == ("it is down",)


async def test_a_store_that_is_away_leaves_the_last_snapshot_and_says_so(
    board: Board, monkeypatch: pytest.MonkeyPatch
):
    """Readers still see what was proven, and that nothing new can be."""
    await board.status()

    async def away(_: object) -> None:
        raise StoreError("the disk is full", remedy="Free space.")

    monkeypatch.setattr(Store, "known", away)
    board.news()
    status = await board.status()
    assert list(status.paths) == [CLAUDE]
    assert status.problems == ("the disk is full",)


async def test_a_drill_runs_as_long_as_one_of_several_does(board: Board):
    """What an engine serves meanwhile may be the drill's own."""
    first, second = (Running(name, "a scenario", NOON) for name in ("d1", "d2"))
    board.began(first)
    board.began(second)
    board.ended("d2")
    assert [board.condition.running] == [first]
    assert board.drilled() == (3, True)
    board.ended("d1")
    assert [board.condition.running] == [None]
    assert board.drilled() == (4, False)
