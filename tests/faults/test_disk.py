"""A disk that is full, and has room again, again and again."""

from pathlib import Path

import pytest

from tests.fakes.faulted_site import faulted_site
from tests.fakes.full_disk import WAYS
from tests.faults.counts import times

FILLED = times(3, 50)
SAYS = {"full": "the disk is full", "limited": "reading or writing failed"}


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
                disk.fill(site.pid)
                status = await site.until(lambda s: s["problems"])
                assert any(SAYS[way] in problem for problem in status["problems"]), status
                asked = len(site.gateway.asked)
                seen = len(site.log)
                for _look in range(5):
                    await site.until(lambda s: s["problems"])
                assert len(site.gateway.asked) <= asked + 1
                assert site.outcomes(seen) == {}
                disk.empty(site.pid)
                await site.drilled(3)
                await site.until(lambda s: not s["problems"])
            assert await site.end() == 0
            kept = await site.assert_nothing_lost()
            site.assert_all_passed()
            assert not any(line["event"] == "drill.not_written" for line in site.log)
            assert site.receiver.names == set()
            figures(
                f"filled {FILLED} times; {kept} drills kept, of {len(site.written())} written; "
                f"alerts: {sorted(name for name, _ in site.receiver.told)}"
            )
