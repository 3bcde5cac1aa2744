"""What a drill costs besides the gateway's own time, and how busy a campaign keeps its lanes."""

import os
import time
from dataclasses import dataclass, field

import uvloop

from benchmarks.gateways import KEY_VARIABLE, Target, target
from benchmarks.latency import percentile
from benchmarks.processes import cores, staying_on
from chaos.drill.events import DrillEnded, DrillStarted, Event
from chaos.drill.report import DrillReport
from chaos.gateway.client import open_gateway
from chaos.scenario.expand import Profile, Selection
from supervisor.campaign.request import DrillRequest
from supervisor.campaign.run import run_drills
from supervisor.settings.model import (
    DrillSettings,
    GatewaySettings,
    Secret,
    Settings,
    WitnessSettings,
)

DEADLINE_S = 20.0


@dataclass(slots=True)
class Stopwatch:
    """When drills began and ended, as the campaign tells it.

    Attributes:
        drill_s: From each beginning to its end.
        gateway_s: From the client's send to the end of the gateway's reply.
        overhead_s: What the first is longer than the second.
    """

    drill_s: list[float] = field(default_factory=list)
    gateway_s: list[float] = field(default_factory=list)
    overhead_s: list[float] = field(default_factory=list)
    began_s: dict[str, float] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """Take the time of a beginning and of an end."""
        if isinstance(event, DrillStarted):
            self.began_s[event.plan.id] = time.perf_counter()
        if not isinstance(event, DrillEnded):
            return
        took_s = time.perf_counter() - self.began_s.pop(event.drill.plan.id)
        gateway_s = event.drill.seen.reply.total_s or 0.0
        self.drill_s.append(took_s)
        self.gateway_s.append(gateway_s)
        self.overhead_s.append(took_s - gateway_s)


def run(*, drills: int, lab: bool) -> None:
    """Measure and print."""
    # The witness is in this process, so it takes the server's core.
    with target(lab=lab) as gateway, staying_on(cores().server):
        for concurrency in (1, 4):
            watch, used_s = Stopwatch(), time.process_time()
            report = uvloop.run(campaign(gateway, watch, drills, concurrency))
            _print(gateway, watch, report, concurrency)
            used_s = time.process_time() - used_s
            print(
                f"  our processor time, the witness's too: {1000 * used_s / drills:.1f} ms a drill"
            )


async def campaign(gateway: Target, watch: Stopwatch, drills: int, concurrency: int) -> DrillReport:
    """Drill *gateway* as the command line does."""
    os.environ[KEY_VARIABLE] = gateway.key
    address = f"127.0.0.1:{gateway.witness_port}"
    settings = Settings(
        gateway=GatewaySettings(url=gateway.url, key=Secret(env=KEY_VARIABLE)),
        witness=WitnessSettings(listen=(address,), url=f"http://{address}"),
        drills=DrillSettings(injector="redirect", concurrency=concurrency, deadline_s=DEADLINE_S),
    )
    selection = Selection(profile=Profile.SMOKE, surfaces=gateway.surfaces)
    async with open_gateway(gateway.url, key=gateway.key, admin_key=gateway.key) as opened:
        return await run_drills(
            opened,
            settings,
            DrillRequest(selection, max_drills=drills),
            listen=watch.take,
        )


def _print(gateway: Target, watch: Stopwatch, report: DrillReport, concurrency: int) -> None:
    count, wall_s = len(report.drills), report.summary.duration_s
    busy = sum(watch.drill_s) / (concurrency * wall_s)
    waiting = sum(watch.gateway_s) / (concurrency * wall_s)
    print(
        f"{count} drills against {gateway.name}, {concurrency} at a time: {wall_s:.1f} s "
        f"({report.summary.passed} passed, {report.summary.failed} failed, "
        f"{report.summary.inconclusive} inconclusive)"
    )
    if concurrency == 1:
        overhead_ms = [1000 * one for one in watch.overhead_s]
        print(
            f"  besides the gateway's own time: mean {sum(overhead_ms) / count:.1f} ms, "
            f"p50 {percentile(overhead_ms, 50):.1f}, p99 {percentile(overhead_ms, 99):.1f} "
            "(to reach: 20 ms)"
        )
        print(f"  the gateway: mean {1000 * sum(watch.gateway_s) / count:.1f} ms")
    else:
        print(
            f"  lanes busy with a drill {100 * busy:.0f} % of the time, waiting for the gateway "
            f"{100 * waiting:.0f} %"
        )
