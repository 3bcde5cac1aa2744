"""The machine that the daemon runs on: memory, swap, pressure, and the disk of the store.

``read`` takes the numbers, ``judge`` and ``evidence`` make of them what they mean; both are pure.
A number that cannot be read is unknown, and says why; it is never zero.

Facts, each only if it is known: ``memory_total_bytes``, ``memory_available_bytes``,
``swap_total_bytes``, ``swap_free_bytes``, ``store_total_bytes``, ``store_free_bytes``; shares of
the last 10 s, 0 to 1, in which all work (``memory_pressure_ratio``, ``io_pressure_ratio``) or some
(``memory_pressure_some_ratio``, ``io_pressure_some_ratio``, ``cpu_pressure_some_ratio``) waited.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from supervisor.probes.probe import Cadence, Outcome, Part, PartKind, ProbeReading, State, Step

KIB, MIB = 1024, 1024**2
UNITS = (("TiB", 1024**4), ("GiB", 1024**3), ("MiB", MIB), ("KiB", KIB))

PROVES = {
    "memory": "programs get memory; where it is unified, what the GPU takes is included",
    "swap": "memory that runs short can still be moved out",
    "pressure": "work does not stall while it waits for memory",
    "disk": "drills can be written down",
}


@dataclass(frozen=True, slots=True)
class Room:
    """How much there is of something, and how much of that is free."""

    total_bytes: int
    free_bytes: int

    def below(self, ratio: float, least_bytes: int = 0) -> bool:
        """Less is free than one of the two."""
        return self.free_bytes < self.total_bytes * ratio or self.free_bytes < least_bytes

    def __str__(self) -> str:
        return f"{size_text(self.free_bytes)} of {size_text(self.total_bytes)}"


@dataclass(frozen=True, slots=True)
class Pressure:
    """Shares of the last 10 s in which work waited for one resource, 0 to 1.

    Attributes:
        some_ratio: At least one task waited.
        full_ratio: All of them did at once. Of the CPU as a whole the kernel counts none.
    """

    some_ratio: float
    full_ratio: float | None = None


@dataclass(frozen=True, slots=True)
class HostNumbers:
    """What was read; None is unknown.

    Attributes:
        store_watched: The store is on a disk of this machine.
        problems: Why a number is unknown; by the name of its step, where it has one.
    """

    memory: Room | None = None
    swap: Room | None = None
    store: Room | None = None
    memory_pressure: Pressure | None = None
    cpu_pressure: Pressure | None = None
    io_pressure: Pressure | None = None
    store_watched: bool = False
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HostLimits:
    """From where on a number is bad; exactly at its limit it is not.

    Attributes:
        store_free_bytes: The disk of the store is nearly full below this; a share would call a
            large disk full that has room for years.
        memory_ratio: Memory is short if less of it is available than this, ...
        memory_bytes: ... or less than this.
        memory_full_ratio: Work stalls if all of it waited for memory longer than this.
        swap_ratio: Swap is nearly used up below this, ...
        memory_low_ratio: ... which matters only if less memory than this is available.
    """

    store_free_bytes: int = 64 * MIB
    memory_ratio: float = 0.03
    memory_bytes: int = 512 * MIB
    memory_full_ratio: float = 0.20
    swap_ratio: float = 0.05
    memory_low_ratio: float = 0.10


DEFAULT_LIMITS = HostLimits()


def judge(numbers: HostNumbers, limits: HostLimits = DEFAULT_LIMITS) -> tuple[State, str]:
    """Say how the machine stands, and why in one line. Pure."""
    bad = dict(_complaints(numbers, limits))
    disk = bad.pop("disk", "")
    if disk:
        return State.DOWN, disk
    if bad:
        return State.SLOW, "; ".join(bad.values())
    unknown = [
        f"{what} is not known: {numbers.problems.get(name, 'not read')}"
        for name, what, room, wanted in (
            ("memory", "available memory", numbers.memory, True),
            ("disk", "free space for the store", numbers.store, numbers.store_watched),
        )
        if wanted and room is None
    ]
    if unknown:
        return State.UNKNOWN, "; ".join(unknown)
    parts = [f"{numbers.memory} of memory available"]
    if numbers.store is not None:
        parts.append(f"{numbers.store} free for the store")
    if _full(numbers.memory_pressure) is None:
        parts.append("pressure on memory is not known")
    return State.UP, "; ".join(parts)


def _complaints(numbers: HostNumbers, limits: HostLimits) -> Iterator[tuple[str, str]]:
    """Yield the name of each step that went badly, and why."""
    memory, swap, store = numbers.memory, numbers.swap, numbers.store
    if store is not None and store.free_bytes < limits.store_free_bytes:
        why = f"the disk of the store is nearly full, {store} free"
        yield "disk", f"drills cannot be written down: {why}"
    if memory is not None and memory.below(limits.memory_ratio, limits.memory_bytes):
        yield "memory", f"memory is short, {memory} available"
    full = _full(numbers.memory_pressure)
    if full is not None and full > limits.memory_full_ratio:
        yield "pressure", f"all work waited for memory in {full:.1%} of the last 10 s"
    if (
        memory is not None
        and swap is not None
        and memory.below(limits.memory_low_ratio)
        and swap.below(limits.swap_ratio)
    ):
        yield "swap", f"swap is nearly used up, {swap} free, and memory low, {memory} available"


def _full(pressure: Pressure | None) -> float | None:
    return None if pressure is None else pressure.full_ratio


def evidence(numbers: HostNumbers, limits: HostLimits = DEFAULT_LIMITS) -> tuple[Step, ...]:
    """Make a step of each thing that was read. Pure.

    Reading a small local file takes no time worth a number: ``took_s`` is 0.
    """
    bad = dict(_complaints(numbers, limits))
    memory, swap, store = numbers.memory, numbers.swap, numbers.store
    found = {
        "memory": None if memory is None else f"{memory} available",
        "swap": None if swap is None else f"{swap} free" if swap.total_bytes else "no swap",
        "pressure": None if _full(numbers.memory_pressure) is None else _pressure_text(numbers),
        "disk": None if store is None else f"{store} free",
    }
    if not numbers.store_watched:
        del found["disk"]
    steps = []
    for name, text in found.items():
        outcome = Outcome.UNKNOWN if text is None else Outcome.BAD if name in bad else Outcome.OK
        shown = text or f"not known: {numbers.problems.get(name, 'not read')}"
        steps.append(Step(name, PROVES[name], shown, outcome, 0.0))
    return tuple(steps)


def _pressure_text(numbers: HostNumbers) -> str:
    parts = []
    for what, pressure in (
        ("memory", numbers.memory_pressure),
        ("CPU", numbers.cpu_pressure),
        ("I/O", numbers.io_pressure),
    ):
        if pressure is None:
            parts.append(f"for {what} not known")
            continue
        full = "" if pressure.full_ratio is None else f", all {pressure.full_ratio:.1%}"
        parts.append(f"for {what} some {pressure.some_ratio:.1%}{full}")
    return f"of the last 10 s work waited {'; '.join(parts)}"


def facts(numbers: HostNumbers) -> dict[str, Any]:
    """List what is known, in base units. Pure."""
    known: dict[str, Any] = {}
    for name, free, room in (
        ("memory", "available", numbers.memory),
        ("swap", "free", numbers.swap),
        ("store", "free", numbers.store),
    ):
        if room is not None:
            known[f"{name}_total_bytes"] = room.total_bytes
            known[f"{name}_{free}_bytes"] = room.free_bytes
    for name, pressure in (
        ("memory", numbers.memory_pressure),
        ("cpu", numbers.cpu_pressure),
        ("io", numbers.io_pressure),
    ):
        if pressure is not None:
            known[f"{name}_pressure_some_ratio"] = pressure.some_ratio
            if pressure.full_ratio is not None:
                known[f"{name}_pressure_ratio"] = pressure.full_ratio
    return known


def size_text(count: int) -> str:
    """Write *count* bytes for people, rounded down."""
    for unit, size in UNITS:
        if count >= size:
            return f"{count * 10 // size / 10:.1f} {unit}"
    return f"{count} bytes"


_AMOUNT = re.compile(r"^(\w+):\s+(\d{1,15}) kB$", re.MULTILINE)
_SHARE = re.compile(r"^(some|full) avg10=(\d{1,3}(?:\.\d+)?) ", re.MULTILINE)


def parse_meminfo(text: str) -> tuple[Room | None, Room | None]:
    """Read memory and swap from ``/proc/meminfo``.

    Source: proc_meminfo(5): ``MemAvailable:   24157308 kB``; a kB is 1024 bytes.
    """
    amounts = {name: int(amount) * KIB for name, amount in _AMOUNT.findall(text)}
    memory, swap = (
        Room(amounts[total], amounts[free]) if {total, free} <= amounts.keys() else None
        for total, free in (("MemTotal", "MemAvailable"), ("SwapTotal", "SwapFree"))
    )
    return memory, swap


def parse_pressure(text: str) -> Pressure | None:
    """Read one file of ``/proc/pressure``; None if it says nothing.

    Source: the kernel's accounting/psi.rst: ``some avg10=3.35 avg60=1.04 avg300=1.05 total=44``,
    in percent; of the CPU "full" is missing before Linux 5.13, and 0 since.
    """
    shares = {kind: float(percent) / 100 for kind, percent in _SHARE.findall(text)}
    return Pressure(shares["some"], shares.get("full")) if "some" in shares else None


def read(
    root: Path,
    store: Path | None,
    statvfs: Callable[[Path], os.statvfs_result] = os.statvfs,
) -> HostNumbers:
    """Read the numbers; what cannot be read is unknown.

    Args:
        root: Where ``proc`` is.
        store: A folder on the disk of the store; None if that is not on this machine.
    """
    problems: dict[str, str] = {}

    def text(step: str, path: Path) -> str:
        try:
            return path.read_text("utf-8", "replace")
        except OSError as error:
            problems.setdefault(step, f"/{path.relative_to(root)}: {error.strerror}")
            return ""

    proc = root / "proc"
    memory, swap = parse_meminfo(text("memory", proc / "meminfo"))
    if memory is None:
        problems.setdefault("memory", "/proc/meminfo does not say it")
    if swap is None:
        problems["swap"] = problems.get("memory", "/proc/meminfo does not say it")
    pressures = {
        what: parse_pressure(text(f"{what} pressure", proc / "pressure" / what))
        for what in ("memory", "cpu", "io")
    }
    if _full(pressures["memory"]) is None:
        # The step is judged by this one alone; the others are shown beside it.
        silent = "/proc/pressure/memory does not say it"
        problems["pressure"] = problems.get("memory pressure", silent)
    cpu = pressures["cpu"]
    return HostNumbers(
        memory=memory,
        swap=swap,
        store=None if store is None else _disk(store, statvfs, problems),
        memory_pressure=pressures["memory"],
        cpu_pressure=cpu and Pressure(cpu.some_ratio),
        io_pressure=pressures["io"],
        store_watched=store is not None,
        problems=problems,
    )


def _disk(
    folder: Path, statvfs: Callable[[Path], os.statvfs_result], problems: dict[str, str]
) -> Room | None:
    try:
        disk = statvfs(folder)
    except OSError as error:
        problems["disk"] = f"{folder}: {error.strerror}"
        return None
    if disk.f_blocks == 0:
        # Some file systems in user space have no size: nothing free there means nothing.
        problems["disk"] = f"{folder}: its file system has no size"
        return None
    # f_bavail, not f_bfree: what only root may still use is of no use to the daemon.
    return Room(disk.f_blocks * disk.f_frsize, disk.f_bavail * disk.f_frsize)


@dataclass(frozen=True, slots=True)
class HostProbe:
    """A look at this machine.

    Attributes:
        store: A folder on the disk of the store; None if that is PostgreSQL.
        root: Where ``proc`` is.
    """

    cadence: Cadence
    store: Path | None
    limits: HostLimits = DEFAULT_LIMITS
    root: Path = Path("/")

    @property
    def part(self) -> Part:
        """This machine."""
        return Part(PartKind.HOST)

    @property
    def across_network(self) -> bool:
        """It reads local files."""
        return False

    async def probe(self, _now: datetime, /) -> ProbeReading:
        """Look once."""
        numbers = read(self.root, self.store)
        state, reason = judge(numbers, self.limits)
        steps = evidence(numbers, self.limits)
        return ProbeReading(self.part, state, reason, steps, facts(numbers))
