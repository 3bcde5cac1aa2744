"""A disk that is full, and has room again, again and again."""

from functools import partial
from pathlib import Path

import pytest

from tests.fakes.faulted_site import FaultedSite, faulted_site
from tests.fakes.full_disk import WAYS
from tests.faults.counts import times

FILLED = times(3, 50)
SAYS = {"full": "the disk is full", "limited": "reading or writing failed"}


def all_written(site: FaultedSite, asked: int, seen: int) -> bool:
    """No drill was begun after one that could not be written."""
    return len(site.gateway.asked) - asked <= site.outcomes(seen).total() + 1


@pytest.mark.parametrize("way", WAYS)
async def test_a_full_disk_loses_no_drill_and_says_so(tmp_path: Path, way: str, figures):
    """The drill that has ended waits for room, nothing is drilled meanwhile, and it goes on."""
    folder = tmp_path / "disk"
    folder.mkdir()
    store = {"url": f"sqlite:///{folder / 'understudy.db'}", "keep_verdicts": 10_000}
    with WAYS[way](folder) as disk:
        async with faulted_site(tmp_path, store=store) as site:
            await site.start()
            await site.drilled(6)
            for _ in range(FILLED):
                async with site.in_a_drill():
                    disk.fill(site.pid)
                status = await site.until(lambda s: s["problems"])
                assert any(SAYS[way] in problem for problem in status["problems"]), status
                # What is drilled meanwhile was written: a full disk has room in what is there.
                asked, seen = len(site.gateway.asked), len(site.log)
                for _look in range(5):
                    await site.until(lambda s: s["problems"])
                await site.so(partial(all_written, site, asked, seen))
                disk.empty(site.pid)
                await site.drilled(3)
                await site.until(lambda s: not s["problems"])
            figures(await site.ended_well(f"filled {FILLED} times"))
