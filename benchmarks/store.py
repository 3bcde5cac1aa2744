"""The daemon's store: how large it grows, and whether questions grow with it.

Rows and evidence are as long as those of real drills (measured on the lab: a row 4.7 kB of JSON,
evidence 5 kB), and differ from each other as theirs do.
"""

import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from chaos.drill.report import DrillRow, FindingRow, HopRow, ReplyRow, ScenarioRow
from chaos.gateway.topology import Trigger
from chaos.judge.check import Kind, Result
from chaos.judge.checks import CHECKS
from chaos.judge.verdict import Outcome
from chaos.scenario.scenario import FallbackPath
from supervisor.coverage.ledger import Wish
from supervisor.daemon.board import derived
from supervisor.metrics import expose
from supervisor.settings.daemon import StoreSettings
from supervisor.status import Condition
from supervisor.store.location import parse_url
from supervisor.store.records import DrillEntry, Home, Used
from supervisor.store.store import Store
from supervisor.store.upkeep import Limits
from supervisor.web.answers.paths import CoverageAnswer
from supervisor.web.answers.status import StatusAnswer

HOME = Home("bench", "http://gateway:4000")
FAULTS = tuple(f"fault_{n}" for n in range(17))
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
FAILS = 0.02
NO_HALT = Path("/nonexistent/halt")
_WORDS = "The serving hop answered within its time and the chain was walked as far as it had to be"


class MovedClock:
    """Stands where it is put."""

    def __init__(self) -> None:
        self.at = BEGIN

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def run(*, paths: int, drills: int, days: int, per_day: int) -> None:
    """Measure and print."""
    asyncio.run(_questions(paths, drills))
    asyncio.run(_size(paths, days, per_day))


async def _questions(paths: int, drills: int) -> None:
    """Ask at a tenth of the drills, and at all of them."""
    async with _store(paths) as (store, clock, rng, which, _):
        done = 0
        for at_most in (drills // 10, drills):
            while done < at_most:
                done += 1
                await store.add_drill(_entry(done, rng.choice(which), clock, rng))
            clock.at += timedelta(days=2)
            choose_ms = await _median_ms(store.due)
            write_ms = await _median_ms(
                lambda: store.add_drill(_entry(rng.getrandbits(48), which[0], clock, rng))
            )
            status_ms = await _median_ms(lambda: _status(store, clock))
            coverage_ms = await _median_ms(lambda: _coverage(store, clock))
            metrics_ms = await _median_ms(lambda: _metrics(store, clock))
            page = await _metrics(store, clock)
            series = sum(not line.startswith(b"#") for line in page.splitlines())
            print(f"{paths} paths, {done} drills: /metrics {metrics_ms:.0f} ms, {series} series")
            print(
                f"{paths} paths, {done} drills: choose the next {choose_ms:.1f} ms, "
                f"status {status_ms:.0f} ms, coverage {coverage_ms:.0f} ms, "
                f"write a drill {write_ms:.1f} ms"
            )


async def _size(paths: int, days: int, per_day: int) -> None:
    """Let days pass, each with its drills, tidying up as the daemon does."""
    keep = StoreSettings()
    limits = Limits(keep.keep_verdicts, keep.keep_failures, keep.keep_evidence)
    async with _store(paths) as (store, clock, rng, which, file):
        number = 0
        for _ in range(days):
            for _ in range(per_day):
                number += 1
                clock.at += timedelta(seconds=86_400 / per_day)
                await store.add_drill(_entry(number, rng.choice(which), clock, rng))
                if number % (per_day // 24) == 0:
                    await store.retention(limits)
        await store.retention(limits)
        size_mb = sum(each.stat().st_size for each in file.parent.iterdir()) / 1e6
    print(f"{per_day} drills a day on {paths} paths for {days} days: {size_mb:.0f} MB")


@asynccontextmanager
async def _store(
    paths: int,
) -> AsyncIterator[tuple[Store, MovedClock, random.Random, list[FallbackPath], Path]]:
    which = [
        FallbackPath(f"group-{n // 4}", Trigger.GENERAL, "local", "chat_completions", shape, stream)
        for n, (shape, stream) in zip(
            range(paths),
            [(s, t) for s in ("chat", "tool_call") for t in (True, False)] * paths,
            strict=False,
        )
    ]
    clock = MovedClock()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "understudy.db"
        async with Store.opened(parse_url(str(file)), HOME, clock) as store:
            await store.sync(
                {one: Wish(86_400.0, n % 10 == 0, 17, "f") for n, one in enumerate(which)}
            )
            yield store, clock, random.Random(1), which, file


async def _status(store: Store, clock: MovedClock) -> bytes:
    now = clock.now()
    status = await derived(store, Condition("bench", HOME.gateway, "1", now, "here"), now, NO_HALT)
    return StatusAnswer.of(status).model_dump_json().encode()


async def _metrics(store: Store, clock: MovedClock) -> bytes:
    now = clock.now()
    status = await derived(store, Condition("bench", HOME.gateway, "1", now, "here"), now, NO_HALT)
    return expose(status)[0]


async def _coverage(store: Store, clock: MovedClock) -> bytes:
    now = clock.now()
    status = await derived(store, Condition("bench", HOME.gateway, "1", now, "here"), now, NO_HALT)
    return CoverageAnswer.of(status, status.paths).model_dump_json().encode()


async def _median_ms(ask: Callable[[], Awaitable[object]], times: int = 11) -> float:
    took = []
    for _ in range(times):
        began_s = time.perf_counter()
        await ask()
        took.append(time.perf_counter() - began_s)
    return statistics.median(took) * 1000


def _entry(number: int, path: FallbackPath, clock: MovedClock, rng: random.Random) -> DrillEntry:
    failed = rng.random() < FAILS
    fault = rng.choice(FAULTS)
    findings = tuple(
        FindingRow(
            check=check.name,
            result=Result.PASSED,
            kind=None,
            where=None,
            hop=path.hop,
            message=f"{_WORDS[rng.randrange(20) :]}: {rng.getrandbits(32):x}.",
            remedy=None,
        )
        for check in CHECKS
    )
    row = DrillRow(
        id=f"{number:012x}",
        injector="redirect",
        credentials="canary",
        scenario=ScenarioRow(
            key=f"{path.group}/general/1/{fault}/{path.shape}/chat_completions/whole",
            group=path.group,
            chain=(path.group, path.hop),
            fault=fault,
            trigger=path.trigger,
            depth=1,
            expected_hop=path.hop,
            faults={path.group: fault},
            shape=path.shape,
            surface=path.surface,
            stream=path.stream,
        ),
        outcome=Outcome.FAILED if failed else Outcome.PASSED,
        kind=Kind.HOP_FAILED if failed else None,
        known_gap=None,
        findings=findings,
        hops=tuple(
            HopRow(
                group=group,
                deployment=f"{rng.getrandbits(128):032x}",
                attempts=1,
                outcome=outcome,
                status=status,
                fault=None,
            )
            for group, outcome, status in ((path.group, "faulted", 400), (path.hop, "served", 200))
        ),
        reply=ReplyRow(
            status=200,
            ttft_s=rng.random(),
            total_s=rng.random(),
            served_by=path.hop,
            claimed_by=path.hop,
            proof="real",
        ),
        started_at=clock.now(),
        attempt=1,
    )
    text = " ".join(f"{rng.getrandbits(64):016x} {_WORDS}" for _ in range(45))
    return DrillEntry(
        path=path,
        row=row,
        ended_at=clock.now(),
        seen={"reply": {"status": 200}, "wire": text},
        faults=FAULTS,
        requests=1,
        used={"hosted_vllm": Used(1, 20)},
    )
