"""Connections whose other side is gone without a word: to the gateway, and to receivers."""

from functools import partial
from pathlib import Path

from tests.fakes.faulted_site import FaultedSite, Held, faulted_site
from tests.fakes.half_open_wire import Wire
from tests.faults.counts import times

CUTS = times(2, 50)
MORE_SOCKETS = 4
"""A pool may hold a connection more at one moment than at another."""


def more_told(site: FaultedSite, before: int) -> bool:
    """Something has come since."""
    return site.receiver.told.total() > before


async def test_half_open_connections_are_given_up_and_not_kept(tmp_path: Path, figures):
    """Whoever waits on one goes on by a new one: no fallback is blamed, and no socket stays."""
    drills = {"injector": "redirect", "deadline_s": 2.0, "first_token_s": 2.0}
    async with faulted_site(tmp_path, drills=drills) as site:
        hook = site.config["notifiers"]["ops"]["webhook"]["url"]
        async with (
            Wire(site.gateway.port).laid() as gateway,
            Wire(int(hook.split(":")[2].split("/")[0])).laid() as receiver,
        ):
            site.config["gateway"]["url"] = gateway.url
            site.config["notifiers"]["ops"]["webhook"]["url"] = f"{receiver.url}/hook"
            site.config["alerts"]["watchdog_every"] = "1s"
            await site.start()
            await site.drilled(12)
            at_first, cut = Held.by(site.pid).sockets, 0
            for _ in range(CUTS):
                told = site.receiver.told.total()
                cut += gateway.cut() + receiver.cut()
                await site.drilled(6)
                await site.so(partial(more_told, site, told))
            assert cut > CUTS
            await site.until(lambda s: not s["problems"])
            await site.so(lambda: Held.by(site.pid).sockets <= at_first + MORE_SOCKETS)
            await site.so(lambda: site.receiver.names == set())
            at_last = Held.by(site.pid).sockets
            assert await site.end() == 0
        site.gateway.url = gateway.url
        kept = await site.assert_nothing_lost()
        assert site.outcomes()["failed"] == 0
        assert site.receiver.told["FallbackBroken", True] == 0
        figures(
            f"{CUTS} cuts left {cut} connections half open; sockets: {at_first} before, {at_last} "
            f"after; {kept} drills kept, of {len(site.written())} written: "
            f"{dict(site.outcomes())}; told: {dict(site.receiver.told)}"
        )
