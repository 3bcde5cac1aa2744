"""Daemons that are killed at any moment: what has ended is kept, and once; on both databases."""

import asyncio
import json
import random
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import URL

from chaos.clock import SystemClock
from supervisor.store.records import Home
from supervisor.store.store import Store
from tests.fakes.daemon_process import DRILL_S, GATEWAY, started
from tests.fakes.stores import every_drill
from tests.faults.counts import times

SERVER = pytest.param("postgresql", marks=pytest.mark.postgresql)
KILLS = times(20, 200)
PATHS = 24


def in_text(url: URL) -> str:
    """Write the store's address as a configuration names it."""
    return url.render_as_string(hide_password=False)


def ended(line: str) -> str | None:
    """Say which drill a line of the log has written down."""
    written = json.loads(line)
    return written["drill"] if written["event"] == "drill.ended" else None


def next_line(process: "subprocess.Popen[str]") -> str:
    """Read the next line of a daemon's log; one that has died has none."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"the daemon has died: {process.wait()}"
    return line


async def drills(url: URL) -> list[tuple[str, str]]:
    """List every drill of the store, with its path."""
    async with Store.opened(url, Home("reader", GATEWAY), SystemClock(), create=False) as store:
        assert await store.check() == ()
        return [(d.row.id, str(d.path)) for d in await every_drill(store)]


async def test_a_killed_daemon_loses_no_ended_drill_and_repeats_none(url: URL, start, figures):
    """Again and again at a random moment, while every path is always due."""
    rng, seen = random.Random(20), []
    for _ in range(KILLS):
        process = start(url, target="1s")
        lines, wanted = 0, rng.randint(0, 6)
        for line in process.stdout:
            if (drill := ended(line)) is not None:
                seen.append(drill)
                lines += 1
            if lines >= wanted and "daemon.started" not in line:
                break
        await asyncio.sleep(rng.uniform(0, 2 * DRILL_S))
        process.kill()
        rest, _ = process.communicate()
        # The last line may be half a line: then the drill is written, and nobody was told.
        seen += [d for line in rest.splitlines() if line.endswith("}") and (d := ended(line))]
    kept = Counter(drill for drill, _ in await drills(url))
    assert len(seen) > KILLS
    assert set(seen) <= set(kept)
    assert set(kept.values()) == {1}
    unseen = len(set(kept) - set(seen))
    assert unseen <= KILLS
    figures(
        f"{KILLS} kills; of {len(seen)} drills that were reported {len(set(seen) - set(kept))} "
        f"lost, {kept.total() - len(kept)} twice; {unseen} more were written before their report"
    )


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start daemons; those that still run at the end are killed."""
    running = []

    def one(url: URL, **options: str) -> subprocess.Popen[str]:
        folder = tmp_path / options.get("name", "spark-1")
        folder.mkdir(exist_ok=True)
        running.append(started(folder, in_text(url), **options))
        return running[-1]

    yield one
    for process in running:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@pytest.mark.parametrize("url", [SERVER], indirect=True)
async def test_three_daemons_of_one_gateway_share_the_work(url: URL, start):
    """No path is drilled twice in its period and none is forgotten, though two of them die."""
    running = {name: start(url, name=name) for name in ("spark-1", "spark-2", "spark-3")}
    rng = random.Random(3)
    for name in ("spark-1", "spark-3"):
        wanted = rng.randint(1, 4)
        while wanted:
            wanted -= ended(next_line(running[name])) is not None
        running[name].kill()
        running[name].wait()
    while len(await drills(url)) < PATHS:
        next_line(running["spark-2"])
    async with Store.opened(url, Home("spark-2", GATEWAY), SystemClock()) as store:
        assert await store.due() is None
    kept = await drills(url)
    assert len(kept) == PATHS
    assert len({path for _, path in kept}) == PATHS


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_a_killed_writer_leaves_a_whole_file(url: URL, start):
    """What SQLite says of its own file after a kill."""
    process = start(url, target="1s")
    while ended(next_line(process)) is None:
        pass
    process.kill()
    process.wait()
    with closing(sqlite3.connect(str(url.database))) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
