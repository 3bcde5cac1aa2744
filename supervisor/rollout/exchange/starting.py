"""Start a container and wait until the engine in it serves: log, end, host and health."""

import asyncio
import time
from collections.abc import Sequence

from chaos.errors import SetupError
from supervisor.engine.container import parse_state
from supervisor.engine.log import read_log
from supervisor.rollout.docker_host import in_thread
from supervisor.rollout.exchange.gates.log import forbidden
from supervisor.rollout.exchange.guard import Guard
from supervisor.rollout.exchange.running import Swapping
from supervisor.rollout.finding import Answer, Finding

LOOK_EVERY_S = 0.5
ASK_WITHIN_S = 5.0
LOG_LINES = 5000
STARTED = "it serves within its time"


class GateRefusedError(SetupError):
    """An engine did not show what it has to show."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(
            f"{finding.check}: asked was that {finding.asked}; {finding.came}",
            remedy=finding.remedy or "The old engine is put back; mend it, and stage again.",
        )
        self.finding = finding


async def started(
    swap: Swapping, container: str, *, estimate_s: float | None, strict: bool = True
) -> Finding:
    """Start a container, if it does not run, and wait until it serves.

    Args:
        container: Its id.
        estimate_s: How long its last start took.
        strict: Forbidden lines of its log and a lack of memory end it; not so of an engine that
            served before.

    Raises:
        GateRefusedError: It ended, logged what it must not, took too long, or took the memory.
    """
    described = await in_thread(swap.host.container, container)
    if described is None:
        raise GateRefusedError(_refused("its container is there", f"{container[:12]} is gone"))
    if not parse_state(container, described).running:
        await in_thread(swap.host.start, container)
    # One that served before fitted; it is the last that there is.
    guard = Guard(swap.file.limits.floor_gib if strict else 0.0)
    watching = asyncio.ensure_future(guard.watch(lambda: swap.host.kill(container)))  # noqa: TID251 -- ended below
    try:
        return await _serves(swap, container, guard, estimate_s, strict=strict)
    finally:
        watching.cancel()
        await asyncio.wait([watching])


async def _serves(
    swap: Swapping, container: str, guard: Guard, estimate_s: float | None, *, strict: bool
) -> Finding:
    began_s, limit_s = time.monotonic(), swap.file.limits.start.total_seconds()
    told = ""
    while True:
        took_s = time.monotonic() - began_s
        swap.log = await in_thread(swap.host.log, container, tail=LOG_LINES)
        if guard.why:
            raise GateRefusedError(
                Finding(
                    "host",
                    Answer.REFUSED,
                    "the machine keeps its memory",
                    f"{guard.why}: the new engine was killed after {took_s:.0f} s",
                    "Give it less: --gpu-memory-utilization, --max-model-len.",
                )
            )
        line = forbidden(swap.log, swap.file.expect.forbidden_log) if strict else ""
        if line:
            raise GateRefusedError(_refused("its log has no forbidden line", line, "log"))
        described = await in_thread(swap.host.container, container)
        state = parse_state(container, described) if described is not None else None
        if state is None or not state.running:
            raise GateRefusedError(_refused(STARTED, _ended(state, swap.log)))
        if await _answers(swap):
            return Finding("start", Answer.OK, STARTED, f"after {took_s:.1f} s")
        if took_s > limit_s:
            why = f"it does not answer after {took_s:.0f} s; last: {_last(swap.log)}"
            raise GateRefusedError(_refused(STARTED, why))
        words = _phase(swap.log)
        if words != told:
            told = words
            expected = f" of about {estimate_s:.0f} s" if estimate_s else ""
            swap.say(f"{took_s:.0f} s{expected}: {words}")
        await asyncio.sleep(LOOK_EVERY_S)


async def _answers(swap: Swapping) -> bool:
    health = await swap.line.get("/health", within_s=ASK_WITHIN_S)
    if not health.ok:
        return False
    models = await swap.line.get("/v1/models", within_s=ASK_WITHIN_S)
    return models.ok


def _refused(asked: str, came: str, check: str = "start") -> Finding:
    return Finding(check, Answer.REFUSED, asked, came)


def _ended(state: object, log: str) -> str:
    code = getattr(state, "exit_code", None)
    failures = read_log(log).failures
    why = failures[0] if failures else _last(log)
    killed = ", killed because memory ran out" if getattr(state, "oom_killed", False) else ""
    return f"its container ended, exit code {code}{killed}: {why}"


def _last(log: str) -> str:
    lines = [line for line in log.splitlines() if line.strip()]
    return lines[-1].strip()[:300] if lines else "it wrote nothing"


_PHASES: Sequence[tuple[str, str]] = (
    ("Application startup complete", "it answers HTTP"),
    ("Graph capturing finished", "graphs are captured"),
    ("KV cache size", "the KV cache is made"),
    ("Model loading took", "the weights are loaded"),
    ("Loading weights", "loading weights"),
    ("Resolved architecture", "the model is known"),
    ("non-default args", "its arguments are read"),
)


def _phase(log: str) -> str:
    return next((words for text, words in _PHASES if text in log), "starting")
