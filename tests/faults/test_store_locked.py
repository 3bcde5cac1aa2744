"""An SQLite store that other processes hold: backups, one of them for longer than we wait."""

import asyncio
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from tests.fakes.faulted_site import faulted_site
from tests.faults.counts import times

BACKUPS = times(5, 100)
LOCKS = times(1, 20)
LOCKED = "another process holds it locked"


async def test_backups_beside_a_daemon_are_whole_and_stop_nothing(tmp_path: Path, figures):
    """`understudy store backup` again and again: each copy is sound, and no drill waits."""
    async with faulted_site(tmp_path) as site:
        await site.start()
        copied = 0
        for number in range(BACKUPS):
            before = len(site.log)
            copy = tmp_path / f"copy-{number}.db"
            process = await asyncio.create_subprocess_exec(
                *(str(Path(sys.executable).parent / "understudy"), "store", "backup", str(copy)),
                *("--config", str(tmp_path / "understudy.yaml")),
                stdout=asyncio.subprocess.DEVNULL,
                env={"PATH": "/usr/bin:/bin", "TEST_KEY": "sk-test"},
            )
            assert await process.wait() == 0
            await site.said("drill.ended", after=before, times=1)
            with closing(sqlite3.connect(copy)) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
                (copied,) = connection.execute("SELECT count(*) FROM drills").fetchone()
            copy.unlink()
        assert copied
        figures(await site.ended_well(f"{BACKUPS} backups"))
        assert not any(line["event"] == "store.away" for line in site.log)


async def test_a_store_that_is_held_too_long_is_waited_for(tmp_path: Path, figures):
    """A copy that locks the file for longer than SQLite waits: it is said, and nothing is lost."""
    async with faulted_site(tmp_path) as site:
        await site.start()
        await site.drilled(6)
        for _ in range(LOCKS):
            with closing(sqlite3.connect(tmp_path / "understudy.db", timeout=60)) as holder:
                holder.isolation_level = None
                async with site.in_a_drill():
                    holder.execute("BEGIN IMMEDIATE")
                await site.until(lambda s: any(LOCKED in one for one in s["problems"]))
                holder.execute("ROLLBACK")
            await site.drilled(3)
            await site.until(lambda s: not s["problems"])
        figures(await site.ended_well(f"locked {LOCKS} times for longer than 5 s"))
