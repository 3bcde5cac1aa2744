"""A daemon that is killed at any moment loses no alert, and tells none otherwise than it should."""

import asyncio
import sys
from collections import Counter
from pathlib import Path

from aiohttp import web

from supervisor.store.location import parse_url
from supervisor.store.store import Store
from tests.fakes.manual_clock import ManualClock
from tests.fakes.server import serving
from tests.fakes.telling_process import HOME
from tests.faults.counts import times

KILLS = times(50, 200)


class Counted:
    """A receiver that counts what it has taken, by the id of the delivery."""

    def __init__(self, refuses_every: int = 0) -> None:
        self.taken: Counter[str] = Counter()
        self.firing: dict[str, bool] = {}
        self._refuses_every = refuses_every
        self._came = 0

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.json()
        self._came += 1
        if self._refuses_every and self._came % self._refuses_every == 0:
            return web.Response(status=503)
        identity = request.headers["X-Understudy-Delivery"]
        self.taken[identity] += 1
        self.firing[identity] = body["status"] == "firing"
        return web.Response()


async def test_kills_lose_no_alert(tmp_path: Path, figures):
    """Every change that was written is taken by each receiver; what was taken twice was taken
    when a kill came between the receipt and the mark, under the same id.
    """
    steady, moody = Counted(), Counted(refuses_every=7)
    async with serving(steady.handle) as first, serving(moody.handle) as second:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.fakes.telling_process", str(tmp_path), str(KILLS)),
            *(f"{first}/hook", f"{second}/hook"),
            stdout=asyncio.subprocess.DEVNULL,
        )
        assert await process.wait() == 0
    url = parse_url(str(tmp_path / "understudy.db"))
    async with Store.opened(url, HOME, ManualClock()) as store:
        written = {one.change.id: one for one in await store.told(1_000_000)}
        assert await store.check() == ()
    assert len(written) > KILLS / 2
    for receiver in (steady, moody):
        assert set(receiver.taken) == set(written)
        doubles = {name: count for name, count in receiver.taken.items() if count > 1}
        # A life ends once, and has one delivery to each receiver under way.
        assert sum(count - 1 for count in doubles.values()) <= KILLS
        assert receiver.firing == {name: one.change.firing for name, one in written.items()}
    assert all(one.state == "taken" for told in written.values() for one in told.deliveries)
    # Each alert fired once and was resolved once, but for the one that the last kill has left.
    ends = Counter(told.change.fingerprint for told in written.values())
    assert max(ends.values()) == 2
    assert sum(count == 1 for count in ends.values()) <= 1
    lost = len(set(written) - set(steady.taken)) + len(set(written) - set(moody.taken))
    again = sum((steady.taken + moody.taken).values()) - 2 * len(written)
    figures(
        f"{KILLS} kills; {len(written)} changes for each of 2 receivers, {lost} lost, {again} "
        "taken once more, under the same id"
    )
