"""A PostgreSQL that is restarted under a daemon, in the middle of whatever it does."""

from pathlib import Path

import pytest

from tests.fakes.faulted_site import faulted_site
from tests.faults.counts import times

RESTARTS = times(2, 30)


@pytest.mark.postgresql
@pytest.mark.parametrize("how", ["fast", "immediate"])
@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_a_database_that_is_restarted_loses_no_drill(
    tmp_path: Path, url, server, how: str, figures
):
    """It is said while it is away, nothing is drilled meanwhile, and it goes on by itself."""
    store = {"url": url.render_as_string(hide_password=False), "keep_verdicts": 10_000}
    async with faulted_site(tmp_path, store=store) as site:
        await site.start()
        await site.drilled(6)
        for _ in range(RESTARTS):
            async with site.in_a_drill():
                server.stop(how)
            asked = len(site.gateway.asked)
            for _look in range(3):
                await site.until(lambda s: s["problems"])
            assert len(site.gateway.asked) <= asked + 1
            server.start()
            await site.drilled(6)
            await site.until(lambda s: not s["problems"])
        figures(await site.ended_well(f"restarted {RESTARTS} times ({how})"))
