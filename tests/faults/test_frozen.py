"""A daemon that stands still: SIGSTOP, and SIGCONT a while later."""

import asyncio
import os
import signal
from pathlib import Path

from tests.fakes.faulted_site import faulted_site
from tests.fakes.hostile_gateway import Hold
from tests.faults.counts import times

STOPS = times(2, 10)
STOPPED_S = times(3, 60)


async def test_a_daemon_that_stood_still_blames_nobody_for_it(tmp_path: Path, figures):
    """Frozen in a drill, past its deadline, it calls no fallback broken, loses none, goes on."""
    drills = {"injector": "redirect", "deadline_s": STOPPED_S / 2, "first_token_s": STOPPED_S / 2}
    async with faulted_site(tmp_path, drills=drills) as site:
        await site.start()
        await site.drilled(6)
        for _ in range(STOPS):
            hold = site.gateway.hold = Hold("backup")
            await site.so(hold.asked.is_set)
            os.kill(site.pid, signal.SIGSTOP)
            site.gateway.hold = None
            hold.go.set()
            await asyncio.sleep(STOPPED_S)
            os.kill(site.pid, signal.SIGCONT)
            await site.drilled(6)
        status = await site.until(lambda s: not s["problems"])
        assert "failed" not in status["states"]
        assert await site.end() == 0
        kept = await site.assert_nothing_lost()
        assert site.outcomes()["failed"] == 0
        assert site.receiver.told["FallbackBroken", True] == 0
        assert site.receiver.names == set()
        figures(
            f"stood still {STOPS} times for {STOPPED_S} s; {kept} drills kept, of "
            f"{len(site.written())} written; {dict(site.outcomes())}; "
            f"alerts: {sorted(name for name, _ in site.receiver.told)}"
        )
