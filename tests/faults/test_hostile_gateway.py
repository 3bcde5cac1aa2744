"""A gateway that hangs, answers garbage, restarts in the middle of drills, doubles its groups."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from aiohttp import web

from tests.fakes.faulted_site import FaultedSite, faulted_site
from tests.fakes.garbling import garbled
from tests.fakes.hostile_gateway import Hold, hangs, well
from tests.faults.counts import times

HANGS = times(1, 20)
GARBAGE = times(40, 2_000)
RESTARTS = times(4, 100)
DOUBLINGS = times(2, 6)
PATHS = 6

DRILLS = {"injector": "redirect", "deadline_s": 2.0, "first_token_s": 2.0}


async def test_a_gateway_that_hangs_is_waited_for(tmp_path: Path, figures):
    """Reads and drills that nobody answers end; it is said and told, and over when it answers."""
    async with faulted_site(tmp_path, drills=DRILLS) as site:
        await site.start()
        await site.drilled(PATHS)
        for _ in range(HANGS):
            site.gateway.mood = hangs
            await site.until(lambda s: any("does not answer" in one for one in s["problems"]))
            await site.so(lambda: "GatewayDown" in site.receiver.names)
            await recovered(site)
        await concluded(site, f"hung {HANGS} times", figures)


async def test_a_gateway_that_answers_garbage_is_no_gateway(tmp_path: Path, figures):
    """Whatever bytes it answers, no drill is called a failed fallback's and nothing breaks."""
    rng, answered = Random("garbage"), 0
    async with faulted_site(tmp_path, drills=DRILLS) as site:

        async def garbage(request: web.Request) -> web.StreamResponse:
            nonlocal answered
            answered += 1
            good = json.dumps(site.gateway.answers().get(request.path, {"error": "x"})).encode()
            if rng.random() < 0.3:
                # Not even HTTP.
                assert request.transport is not None
                request.transport.write(garbled(rng, [b"HTTP/1.1 200 OK\r\n\r\n" + good]))
                request.transport.close()
                return web.Response()
            kind = rng.choice(("application/json", "text/html", "text/event-stream"))
            status = rng.choice((200, 200, 200, 404, 500, 302))
            return web.Response(body=garbled(rng, [good]), status=status, content_type=kind)

        await site.start()
        await site.drilled(PATHS)
        site.gateway.mood = garbage
        await site.so(lambda: answered >= GARBAGE)
        await recovered(site)
        broken = [line for line in site.log if line["event"].endswith(".broken")]
        assert broken == []
        await concluded(site, f"{answered} garbled answers", figures)


async def test_a_gateway_that_restarts_in_the_middle_of_drills_wakes_nobody(
    tmp_path: Path, figures
):
    """A drill that it broke off may count as failed once; it is repeated at once, and passes."""
    async with faulted_site(tmp_path, drills=DRILLS) as site:
        await site.start()
        await site.drilled(PATHS)
        for number in range(RESTARTS):
            hold = site.gateway.hold = Hold(("paid", "backup")[number % 2])
            await site.so(hold.asked.is_set)
            await site.gateway.stop()
            site.gateway.hold = None
            hold.go.set()
            await site.gateway.start()
            await site.drilled(PATHS)
        await recovered(site)
        await concluded(site, f"restarted {RESTARTS} times in a drill", figures, failed=RESTARTS)


async def test_a_gateway_that_doubles_its_groups_has_all_of_them_drilled(tmp_path: Path, figures):
    """Each new path is drilled, and those that were there go on being drilled."""
    async with faulted_site(tmp_path, drills=DRILLS) as site:
        await site.start()
        await site.drilled(PATHS)
        for _ in range(DOUBLINGS):
            site.gateway.copies *= 2
            await site.until(proven(site.gateway.copies * PATHS))
        what = f"doubled {DOUBLINGS} times, from {PATHS} to {site.gateway.copies * PATHS} paths"
        await concluded(site, what, figures)


def proven(paths: int) -> Callable[[dict[str, Any]], bool]:
    """So many paths, and none that was never drilled or has failed."""

    def holds(status) -> bool:
        states = status["states"]
        return sum(states.values()) == paths and not {"failed", "never_proven"} & set(states)

    return holds


async def recovered(site: FaultedSite) -> None:
    """Let the gateway answer as it should, and wait until nothing is wrong any more."""
    site.gateway.mood = well
    await site.until(lambda s: not s["problems"])
    await site.drilled(PATHS)
    await site.until(proven(PATHS))
    await site.so(lambda: site.receiver.names == set())


async def concluded(site: FaultedSite, what: str, figures, *, failed: int = 0) -> None:
    """End it: nothing is lost, and nobody was told of a broken fallback."""
    assert await site.end() == 0
    kept = await site.assert_nothing_lost()
    outcomes = site.outcomes()
    assert outcomes["failed"] <= failed
    assert site.receiver.told["FallbackBroken", True] == 0
    figures(
        f"{what}; {kept} drills kept, of {len(site.written())} written: {dict(outcomes)}; "
        f"alerts: {sorted({name for name, _ in site.receiver.told})}"
    )
