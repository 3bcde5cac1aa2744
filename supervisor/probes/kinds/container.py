"""An engine's container, as Docker knows it: it runs, it crashed, it is no longer what it was.

``judge`` is pure: how the container stood at the look before and how it stands now, one state out.
That the container runs says nothing about the engine in it; its own probe asks that.

Facts, each as of the look: ``image_id``, ``arguments_hash`` (of what it runs; a hash, because
arguments may hold keys), ``started_at`` (ISO 8601, null if it never was), ``restarts`` (by Docker,
since somebody started it), ``exit_code`` (of its last end, 0 while it runs), ``oom_killed``,
``mounts`` (where in it files and folders of the machine are); ``container``, its name, and ``was``,
the ``image_id`` and ``arguments_hash`` that it is compared with.
"""

import asyncio
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog

from chaos.clock import Clock, SystemClock
from chaos.errors import UnderstudyError
from supervisor.probes.probe import Cadence, Outcome, Part, PartKind, ProbeReading, State, Step

if TYPE_CHECKING:  # Docker's SDK is many megabytes, and needed only where a container is named.
    from supervisor.engine.container import ContainerState

log = structlog.get_logger()

PROVES = "the container's process exists; not that the engine in it answers"
PAUSE_S = 10.0
"""Before events are asked for again."""

IDENTITY = {"image_id": "its image", "arguments_hash": "its arguments"}
"""Facts in which a container must not change, and what they are."""


def judge(
    previous: "ContainerState | None",
    now: "ContainerState",
    earlier: Mapping[str, Any] | None = None,
) -> tuple[State, str]:
    """Say how the container stands, and why in one line. Pure.

    Args:
        previous: How it stood at the look before; None if this is the first.
        earlier: Facts that it must agree with; by default, those of *previous*.
    """
    if earlier is None:
        earlier = {} if previous is None else facts(previous)
    changes = tuple(_changes(earlier, now))
    crashes = 0 if previous is None else max(0, now.restarts - previous.restarts)
    again = _again(previous, now, crashes)
    if now.status == "restarting":
        newly = f", {crashes} since the look before" if crashes else ""
        count = f"({_count(now.restarts)}{newly})"
        return State.DOWN, _line(
            f"Docker is starting it again {count} after it ended{_how(now)}", *changes
        )
    if not now.running:
        return State.DOWN, _line(_ended(now), again, *changes)
    if now.status == "paused":
        return State.HUNG, _line("it is paused, and makes no progress until unpaused", *changes)
    if crashes:
        return State.DOWN, _line(again, _memory(now), *changes)
    since = _since(now)
    if changes:
        return State.DRIFTED, _line(*changes, again, since)
    if now.health == "unhealthy":
        return State.SLOW, _line("Docker's own health check of it fails", again, since)
    starting = "Docker's own health check has not passed yet" if now.health == "starting" else ""
    return State.UP, _line(since, again, starting)


def facts(state: "ContainerState") -> dict[str, Any]:
    """List what is known, as JSON. Pure."""
    return {
        "image_id": state.image_id,
        "arguments_hash": state.arguments_hash,
        "started_at": None if state.started_at is None else state.started_at.isoformat(),
        "restarts": state.restarts,
        "exit_code": state.exit_code,
        "oom_killed": state.oom_killed,
        "mounts": list(state.mounts),
    }


class ContainerProbe:
    """A look at the container of one engine, through Docker.

    Args:
        group: The model group of its engine.
        container: Its name or id.
        previous: Facts of an earlier look, or their ``was``, maybe from before the daemon was
            started; what they do not say, the first look does.
    """

    across_network = False  # Docker has its socket on this machine, as a rule.

    def __init__(
        self,
        group: str,
        container: str,
        cadence: Cadence | None = None,
        *,
        previous: Mapping[str, Any] | None = None,
        clock: Clock | None = None,
    ) -> None:
        from supervisor.engine.container import (  # noqa: PLC0415 -- many megabytes
            WITHIN_S,
            ContainerWatch,
        )

        self.part = Part(PartKind.CONTAINER, group)
        self.cadence = cadence or Cadence()
        self.container = container
        self._clock = clock or SystemClock()
        # A look that was given up leaves no thread behind for longer than that.
        self._watch = ContainerWatch(container, within_s=min(WITHIN_S, self.cadence.deadline_s))
        self._was = _identity(previous or {})
        self._previous: ContainerState | None = None

    async def probe(self, _now: datetime, /) -> ProbeReading:
        """Look once."""
        began_s = self._clock.monotonic()
        found: dict[str, Any] = {}
        try:
            state = await asyncio.to_thread(self._watch.poll)
        except UnderstudyError as error:
            how, reason = State.UNKNOWN, f"{error.message}. {error.remedy}"
        except Exception as error:  # A defect of ours says nothing about the container.
            log.exception("container.look_broken", part=str(self.part))
            how, reason = State.UNKNOWN, f"the look broke: {type(error).__name__}, see the log"
        else:
            if state is None:
                how, reason = self._missing()
            else:
                how, reason = judge(self._previous, state, self._was)
                self._previous = state
                self._was = _identity(facts(state)) | self._was
                found = {**facts(state), "container": state.name, "was": self._was}
        outcome = {State.UP: Outcome.OK, State.UNKNOWN: Outcome.UNKNOWN}.get(how, Outcome.BAD)
        step = Step("container", PROVES, reason, outcome, self._clock.monotonic() - began_s)
        return ProbeReading(self.part, how, reason, (step,), found)

    @property
    def baseline(self) -> Mapping[str, Any] | None:
        """Facts that the container must agree with; None before the first look."""
        return self._was

    def accept(self) -> None:
        """Take what it is now for what it should be."""
        if self._previous is not None:
            self._was = _identity(facts(self._previous))

    async def listen(self, wake: Callable[[], None]) -> None:
        """Call *wake* whenever Docker reports something, until cancelled.

        It only makes the next look come sooner: it returns where Docker offers no events.
        """
        while True:
            events = self._watch.events()
            try:
                await _pass_on(events, events.close, wake)
            except Exception:  # A defect of ours ends no watch.
                log.exception("container.events_broken", part=str(self.part))
            if events.refused:
                return
            await self._clock.sleep(PAUSE_S)

    def _missing(self) -> tuple[State, str]:
        name = self.container
        if self._was:
            return State.DOWN, f"there is no container {name!r} any more: it was removed or renamed"
        remedy = "Name one that 'docker ps --all' lists, by its name or its id."
        return State.UNKNOWN, f"there is no container {name!r}. {remedy}"


async def _pass_on(
    events: Iterable[None], close: Callable[[], None], wake: Callable[[], None]
) -> None:
    """Wait for *events* in a thread of their own: many of them would use up the loop's threads."""
    loop = asyncio.get_running_loop()

    def hear() -> None:
        for _ in events:
            loop.call_soon_threadsafe(wake)

    with_thread = ThreadPoolExecutor(1, thread_name_prefix="docker-events")
    heard = loop.run_in_executor(with_thread, hear)
    try:
        await asyncio.wait([heard])
    finally:
        close()
        await asyncio.wait([heard])
        with_thread.shutdown(wait=False)
    heard.result()


def _identity(known: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(known[name]) for name in IDENTITY if known.get(name)}


def _changes(earlier: Mapping[str, Any], now: "ContainerState") -> Iterator[str]:
    known = facts(now)
    for name, what in IDENTITY.items():
        was, is_ = earlier.get(name), known[name]
        if was and is_ and was != is_:
            yield f"{what} changed from {_short(was)} to {_short(is_)}"


def _again(previous: "ContainerState | None", now: "ContainerState", crashes: int) -> str:
    """Say that it was started again since the look before; empty if it was not."""
    if crashes:
        return f"it crashed and was started again {_times(crashes)} since the look before"
    if previous is None or None in (previous.started_at, now.started_at):
        return ""
    if previous.started_at == now.started_at:
        return ""
    return "it ended and was started again since the look before"


def _ended(now: "ContainerState") -> str:
    if now.started_at is None:
        text = f"it is not running: {now.status}, never started"
    else:
        # Docker does not keep whether somebody asked for an end.
        crash = "unless somebody stopped it, it crashed"
        crash += ", although the code reports success" if now.exit_code == 0 else ""
        text = f"it is not running: {now.status}{_how(now)}; {crash}"
    return f"{text}; Docker reports: {now.error}" if now.error else text


def _how(now: "ContainerState") -> str:
    """Say how it ended. That a process was killed says nothing about memory; only Docker does."""
    code = now.exit_code
    if code is None:
        return ""
    if code == 128 + signal.SIGKILL:
        memory = _memory(now) or "Docker does not report that memory ran out"
        return f", exit code {code}: killed by SIGKILL; {memory}"
    name = ""
    with suppress(ValueError):
        name = f" ({signal.Signals(code - 128).name})" if code > 128 else ""
    memory = f"; {_memory(now)}" if now.oom_killed else ""
    return f", exit code {code}{name}{memory}"


def _memory(now: "ContainerState") -> str:
    return "Docker reports that memory ran out (OOMKilled)" if now.oom_killed else ""


def _since(now: "ContainerState") -> str:
    when = "" if now.started_at is None else f" since {now.started_at:%Y-%m-%d %H:%M:%S} UTC"
    return f"it runs{when}" + (f" ({_count(now.restarts)})" if now.restarts else "")


def _count(restarts: int) -> str:
    return f"{restarts} restart{'' if restarts == 1 else 's'} so far"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _short(value: Any) -> str:
    return str(value).removeprefix("sha256:")[:12]


def _line(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
