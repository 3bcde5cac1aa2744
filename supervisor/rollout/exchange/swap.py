"""Exchange the engine: stop the old one, start the new one, let it show what it can; or put back.

    drain    requests that run may end by themselves
    stop     the old container is stopped, and its restart policy parked as 'no'
    evict    the pages of the model's files are forgotten
    memory   the memory has come back
    rename   the new container takes the name
    start    it is started, once
    gates    what it has to show
    accept   its restart policy is set

Each step is in the journal before it begins, and looks first whether it is done: so it can be
taken up again after a crash, a reboot, or a Docker that was started anew.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from chaos.errors import SetupError, UnderstudyError
from supervisor.engine.container import parse_state
from supervisor.engine.http import get_metrics
from supervisor.engine.metrics import read_vitals
from supervisor.rollout.docker_host import NoDockerError, in_thread
from supervisor.rollout.exchange.gates import GATES, WAY_BACK, Gate
from supervisor.rollout.exchange.page_cache import evict
from supervisor.rollout.exchange.restore import (
    StrandedError,
    awaited_memory,
    put_back,
    rename_aside,
)
from supervisor.rollout.exchange.running import Swapping
from supervisor.rollout.exchange.starting import GateRefusedError, started
from supervisor.rollout.exchange.users import Served
from supervisor.rollout.finding import Answer, Finding
from supervisor.store.engines.rollouts import RolloutState

DRAIN_LOOK_EVERY_S = 0.5
DOCKER_LOOK_EVERY_S = 2.0


class Outcome(StrEnum):
    """How a swap, or a way back, ended."""

    ACCEPTED = "accepted"
    RESTORED = "restored"
    STRANDED = "stranded"


@dataclass(frozen=True, slots=True)
class SwapReport:
    """What happened.

    Attributes:
        refused: The gate that refused; None if all was well.
        findings: Every gate, with what was asked and what came.
        seconds: How long each step took.
        away_s: From the stop of the one engine to the first answer of the other.
        start_s: How much of that was the engine's own start.
        served: What users felt; None where nobody asked.
        trouble: What went wrong besides.
    """

    rollout: str
    outcome: Outcome
    refused: Finding | None
    findings: tuple[Finding, ...]
    seconds: dict[str, float]
    away_s: float | None
    start_s: float | None
    served: Served | None = None
    trouble: str = ""

    @property
    def own_s(self) -> float | None:
        """What the swap cost beside the engine's own start; None where it was not accepted."""
        if self.outcome is not Outcome.ACCEPTED or self.away_s is None or self.start_s is None:
            return None
        return max(0.0, self.away_s - self.start_s)


@dataclass(slots=True)
class _Times:
    stopped_s: float | None = None
    serves_s: float | None = None
    start_s: float | None = None
    steps: dict[str, float] = field(default_factory=dict)


async def swap_engine(swap: Swapping, drills_go_on: Callable[[], Any]) -> SwapReport:
    """Exchange the engine; a gate that refuses, an error or Ctrl-C puts the old one back.

    Args:
        drills_go_on: Called once the new engine serves, before drills judge it.
    """
    times = _Times()
    await swap.journal.become(RolloutState.SWAPPING, quiet_s=swap.quiet_s)
    try:
        await _forward(swap, times, drills_go_on)
    except GateRefusedError as error:
        return await _back(swap, times, error.message, error.finding)
    except StrandedError as error:
        return await _stranded(swap, times, str(error))
    except (asyncio.CancelledError, UnderstudyError) as error:
        why = error.message if isinstance(error, UnderstudyError) else "it was interrupted"
        refused = Finding("swap", Answer.REFUSED, "every step can be taken", why)
        return await _back(swap, times, why, refused)
    except Exception as error:
        # A defect of ours must not leave people without an engine; it is shown afterwards.
        why = f"{type(error).__name__}: {error}"[:300]
        report = await _back(swap, times, why, None)
        swap.say(f"{report.outcome}: {report.trouble or 'the old engine serves'}")
        raise
    await swap.journal.become(RolloutState.ACCEPTED, findings=_lines(swap.findings))
    return _report(swap, times, Outcome.ACCEPTED, None)


async def roll_back(swap: Swapping, drills_go_on: Callable[[], Any]) -> SwapReport:
    """Bring the old engine back, whenever it is wanted, through the gates that it can be asked."""
    swap = swap.of_the_old()
    times = _Times()
    # Whoever is being served may be served to the end; a refused engine is ended at once.
    await _drained(swap)
    times.stopped_s = time.monotonic()
    report = await _back(
        swap, times, "rollback", None, within_s=swap.file.limits.stop.total_seconds()
    )
    if report.outcome is not Outcome.RESTORED:
        return report
    await drills_go_on()
    try:
        await _through(swap, WAY_BACK)
    except GateRefusedError as error:
        if error.finding not in swap.findings:
            swap.findings.append(error.finding)
        await swap.journal.become(RolloutState.RESTORED, why=error.message)
        return _report(swap, times, Outcome.RESTORED, error.finding)
    await swap.journal.become(RolloutState.RESTORED, why="rollback", findings=_lines(swap.findings))
    return _report(swap, times, Outcome.RESTORED, None)


async def _forward(swap: Swapping, times: _Times, drills_go_on: Callable[[], Any]) -> None:
    async with _timed(swap, times, "drain") as told:
        told["running"] = await _drained(swap)
    async with _timed(swap, times, "stop"):
        times.stopped_s = time.monotonic()
        # Parked before it is stopped: a Docker that is started anew in between leaves it alone.
        await in_thread(swap.host.set_restart, swap.old_id, "no", 0)
        await in_thread(swap.host.end, swap.old_id, within_s=swap.file.limits.stop.total_seconds())
    async with _timed(swap, times, "evict") as told:
        folder = swap.row.get("model_folder")
        told["files"] = await in_thread(evict, Path(folder)) if folder else 0
    await awaited_memory(swap)
    async with _timed(swap, times, "rename"):
        await rename_aside(swap)
    async with _timed(swap, times, "start") as told:
        began_s = time.monotonic()
        estimate = (swap.row.get("old") or {}).get("start_s")
        swap.findings.append(await started(swap, swap.next_id, estimate_s=estimate))
        times.serves_s = time.monotonic()
        times.start_s = times.serves_s - began_s
        told["took_s"] = times.start_s
    await drills_go_on()
    async with _timed(swap, times, "gates"):
        await _through(swap, GATES)
    async with _timed(swap, times, "accept"):
        name, _, most = swap.file.run.restart.partition(":")
        await in_thread(swap.host.set_restart, swap.next_id, name, int(most or 0))


async def _through(swap: Swapping, gates: Sequence[Gate]) -> None:
    for gate in gates:
        for finding in await gate(swap):
            swap.findings.append(finding)
            swap.say(f"{finding.check}: {finding.answer}, {finding.came[:120]}")
            if finding.answer is Answer.REFUSED:
                raise GateRefusedError(finding)
            state = await in_thread(swap.host.container, swap.name)
            if state is None or not parse_state(swap.name, state).running:
                ended = Finding(finding.check, Answer.REFUSED, "it goes on serving", "it ended")
                raise GateRefusedError(ended)


async def _drained(swap: Swapping) -> int | None:
    """Wait until nobody's request runs; returns how many still did at the end."""
    swap.quiet(True)  # Our own user would never let it come to that.
    try:
        return await _none_running(swap)
    finally:
        swap.quiet(False)


async def _none_running(swap: Swapping) -> int | None:
    end_s = time.monotonic() + swap.file.limits.drain.total_seconds()
    while True:
        page = await get_metrics(swap.session, swap.url)
        if page is None:
            return None
        vitals = read_vitals(page)
        running = int((vitals.running or 0) + (vitals.waiting or 0))
        if running == 0 or time.monotonic() > end_s:
            return running
        await asyncio.sleep(DRAIN_LOOK_EVERY_S)


async def _back(
    swap: Swapping, times: _Times, why: str, refused: Finding | None, *, within_s: float = 0
) -> SwapReport:
    if refused is not None and refused not in swap.findings:
        swap.findings.append(refused)
    swap.say(f"putting the old engine back: {why}")
    # A disk that is full must not be why nobody serves.
    swap.journal.on_the_way_back()
    await swap.journal.become(RolloutState.RESTORING, why=why, quiet_s=swap.quiet_s)
    try:
        finding = await _once_docker_answers(swap, why, within_s)
        swap.findings.append(
            Finding("way back", finding.answer, "the old engine serves again", finding.came)
        )
        times.serves_s = time.monotonic()
    except StrandedError as error:
        return await _stranded(swap, times, str(error), refused)
    except SetupError as error:
        trouble = f"it did not come up: {error.message}"
        await swap.journal.become(RolloutState.STRANDED, why=trouble)
        return _report(swap, times, Outcome.STRANDED, refused, trouble)
    await swap.journal.become(RolloutState.RESTORED, why=why, findings=_lines(swap.findings))
    return _report(swap, times, Outcome.RESTORED, refused, swap.journal.trouble)


async def _once_docker_answers(swap: Swapping, why: str, within_s: float) -> Finding:
    """Put the old engine back; a Docker that is being started anew is waited for.

    Raises:
        NoDockerError: It does not come back within the time of a start.
    """
    end_s = time.monotonic() + swap.file.limits.start.total_seconds()
    while True:
        try:
            return await put_back(swap, why, within_s=within_s)
        except NoDockerError as error:
            if time.monotonic() > end_s:
                raise
            swap.say(f"{error.message}: waiting for it")
            await asyncio.sleep(DOCKER_LOOK_EVERY_S)


async def _stranded(
    swap: Swapping, times: _Times, why: str, refused: Finding | None = None
) -> SwapReport:
    trouble = (
        f"{why}. Nothing was started. Only a reboot returns it; then: understudy rollout rollback"
    )
    await swap.journal.become(RolloutState.STRANDED, why=trouble)
    return _report(swap, times, Outcome.STRANDED, refused, trouble)


def _report(
    swap: Swapping,
    times: _Times,
    outcome: Outcome,
    refused: Finding | None,
    trouble: str = "",
) -> SwapReport:
    away_s = (
        times.serves_s - times.stopped_s
        if times.serves_s is not None and times.stopped_s is not None
        else None
    )
    return SwapReport(
        swap.journal.name,
        outcome,
        refused,
        tuple(swap.findings),
        times.steps,
        away_s,
        times.start_s,
        trouble=trouble,
    )


@asynccontextmanager
async def _timed(swap: Swapping, times: _Times, step: str) -> AsyncIterator[dict[str, Any]]:
    began_s = time.monotonic()
    async with swap.journal.step(step) as told:
        yield told
        times.steps[step] = time.monotonic() - began_s


def _lines(findings: Sequence[Finding]) -> list[str]:
    return [f"{one.check}: {one.answer}; asked: {one.asked}; came: {one.came}" for one in findings]
