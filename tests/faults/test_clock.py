"""A wall clock that is set forward and back by a day under a running daemon."""

from pathlib import Path

from tests.fakes.faulted_site import FaultedSite, faulted_site
from tests.fakes.hostile_gateway import Hold
from tests.faults.counts import times

ROUNDS = times(1, 10)
HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
PATHS = 6
FAULTS = 3

REHEARSE = {
    "shapes": ["chat"],
    "streaming": "whole",
    "faults": ["billing", "context_window", "content_policy"],
    "target": "1h",
}
WELL = {"proven": 3, "routed": 3}
ALERTS = {"watchdog_every": "1s"}


async def quiet(site: FaultedSite, *, after: int = 0) -> int:
    """Wait until all is proven and nothing is due; gives how many drills there were since."""

    def settled(status) -> bool:
        assert sum(site.outcomes(after).values()) <= PATHS * (FAULTS + 2), "a storm of drills"
        return (
            status["states"] == WELL
            and status["next"]["path"] is None
            and status["running"] is None
        )

    await site.until(settled)
    return sum(site.outcomes(after).values())


async def watchdog(site: FaultedSite) -> None:
    """Wait until it is told that alerts still come through."""
    told = site.receiver.told["Watchdog", True]
    await site.so(lambda: site.receiver.told["Watchdog", True] > told)


async def test_a_clock_set_forward_and_back_stops_nothing_and_floods_nothing(
    tmp_path: Path, figures
):
    """Each path is drilled when it is due by the new time, and the watchdog is told on time."""
    async with faulted_site(tmp_path, rehearse=REHEARSE, alerts=ALERTS) as site:
        await site.start()
        await quiet(site)
        took = {}
        for _ in range(ROUNDS):
            for name, ahead_s in (
                ("a day forward", DAY_S),
                ("a day back", 0.0),
                ("an hour on", HOUR_S),
                ("an hour back", 0.0),
            ):
                seen = len(site.log)
                site.turn_clock(ahead_s)
                if ahead_s:
                    await site.said("drill.ended", after=seen, times=PATHS)
                took[name] = await quiet(site, after=seen)
                await watchdog(site)
        await site.so(lambda: site.receiver.names == set())
        assert await site.end() == 0
        kept = await site.assert_nothing_lost()
        site.assert_all_passed()
        figures(
            f"{ROUNDS} rounds; {kept} drills kept, of {len(site.written())} written; in the last "
            f"round, drills after each turn: {took}; told: {dict(site.receiver.told)}"
        )


async def test_alerts_of_a_wrong_clock_end_with_it(tmp_path: Path, figures):
    """What fires while the clock is wrong is resolved, and told, when the clock is right again."""
    async with faulted_site(tmp_path, rehearse=REHEARSE, alerts=ALERTS) as site:
        await site.start()
        await quiet(site)
        for _ in range(ROUNDS):
            # The receiver is down while the clock goes a day ahead, and a fallback breaks there.
            site.receiver.status = 503
            site.turn_clock(DAY_S)
            site.gateway.falls_back = False
            await site.until(lambda s: s["states"].get("failed"))
            await site.told_in_vain()
            site.turn_clock(2 * DAY_S)
            await site.told_in_vain()
            # Back in the middle of a drill.
            hold = site.gateway.hold = Hold("paid")
            site.turn_clock(2 * DAY_S + HOUR_S)
            await site.so(hold.asked.is_set)
            site.turn_clock(0.0)
            site.gateway.hold = None
            hold.go.set()
            site.receiver.status = 200
            await site.so(lambda: "FallbackBroken" in site.receiver.names)
            site.gateway.falls_back = True
            seen = len(site.log)
            site.turn_clock(HOUR_S)
            await quiet(site, after=seen)
            await site.so(lambda: site.receiver.names == set())
            # A gateway that goes away by the right clock is told as ever.
            site.turn_clock(0.0)
            await site.gateway.stop()
            await site.so(lambda: "GatewayDown" in site.receiver.names)
            await site.gateway.start()
            await site.so(lambda: site.receiver.names == set())
        assert await site.end() == 0
        await site.assert_nothing_lost()
        assert not any(line["event"] == "notification.given_up" for line in site.log)
        figures(f"{ROUNDS} rounds; told: {dict(site.receiver.told)}")
