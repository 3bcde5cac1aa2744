"""Bring the container back that served before: the same one, never made anew.

Each step looks first whether it is done, so that it can be begun again after any interruption.
"""

import asyncio
import time
from contextlib import suppress
from typing import Any

from chaos.errors import SetupError
from supervisor.engine.container import parse_state
from supervisor.rollout.docker_host import in_thread
from supervisor.rollout.exchange.running import Swapping
from supervisor.rollout.exchange.starting import started
from supervisor.rollout.facts import read_memory
from supervisor.rollout.finding import Finding
from supervisor.rollout.way_back import OLD

GIB = 1 << 30
FAILED = "-failed"


class StrandedError(Exception):
    """Memory has not come back, so that nothing may be started: only a reboot returns it."""


async def put_back(swap: Swapping, why: str, *, within_s: float) -> Finding:
    """End what has taken its place, and start the old one; what was ended is kept, with its log.

    Args:
        within_s: What is ended may take so long to end by itself.

    Raises:
        StrandedError: There is no memory to start it in.
        GateRefusedError: It does not come up either.
        SetupError: The old container is gone, or Docker cannot do it.
    """
    host = swap.host
    old = await in_thread(host.container, swap.old_id)
    if old is None:
        raise SetupError(
            f"the old container {swap.old_id[:12]} is gone, so what runs is left as it is",
            remedy="Stage another engine: understudy rollout stage rollout.yaml",
        )
    async with swap.journal.step("end_new", why=why):
        new = await in_thread(host.container, swap.next_id)
        if new is not None:
            text = await in_thread(host.log, swap.next_id)
            with suppress(OSError):  # A full disk: the container keeps its log, too.
                (swap.folder / "new.log").write_text(text, "utf-8")
            await in_thread(host.end, swap.next_id, within_s=within_s)
        # Whoever has the name by now: a later rollout may have given it to another one.
        holder = await in_thread(host.container, swap.name)
        if holder is not None and holder["Id"] != swap.old_id:
            await in_thread(host.set_restart, holder["Id"], "no", 0)
            await in_thread(host.end, holder["Id"], within_s=within_s)
            aside = f"{swap.name}{FAILED}"
            await in_thread(_clear, host, aside, holder["Id"])
            await in_thread(host.rename, holder["Id"], aside)
    if not parse_state(swap.name, old).running:
        await awaited_memory(swap)
    async with swap.journal.step("old_back"):
        if _name(old) != swap.name:
            await in_thread(host.rename, swap.old_id, swap.name)
        back: dict[str, Any] = swap.row["way_back"]
        await in_thread(host.set_restart, swap.old_id, back["restart_policy"], back["restart_most"])
    async with swap.journal.step("start_old") as told:
        finding = await started(
            swap, swap.old_id, estimate_s=(swap.row.get("old") or {}).get("start_s"), strict=False
        )
        told["came"] = finding.came
    return finding


async def awaited_memory(swap: Swapping) -> float | None:
    """Wait until there is room; returns how many GiB are available, where that is asked.

    Raises:
        StrandedError: There is none within its time.
    """
    needed = swap.file.expect.memory_gib
    if needed is None:
        return None
    limits = swap.file.limits
    wanted = (needed + limits.free_memory_gib) * GIB
    began_s = time.monotonic()
    async with swap.journal.step("memory", wanted_gib=wanted / GIB) as told:
        while True:
            available = read_memory().available
            told["available_gib"] = available / GIB if available is not None else None
            if available is None or available >= wanted:
                return available / GIB if available is not None else None
            if time.monotonic() - began_s > limits.memory.total_seconds():
                raise StrandedError(
                    f"{available / GIB:.1f} GiB of memory are available and {wanted / GIB:.1f} are "
                    "needed: the engine that ended has not given its memory back"
                )
            await asyncio.sleep(0.5)


def _name(described: Any) -> str:
    return str(described.get("Name") or "").strip("/")


def _clear(host: Any, name: str, keep: str) -> None:
    """Free a name that an earlier container of ours has; it is kept, under its id."""
    there = host.container(name)
    if there is not None and there["Id"] != keep:
        host.rename(there["Id"], f"{name}-{there['Id'][:8]}")


async def rename_aside(swap: Swapping) -> None:
    """Give the old container's name to the new one; both stay what they are."""
    host = swap.host
    old = await in_thread(host.container, swap.old_id)
    if old is not None and _name(old) == swap.name:
        await in_thread(_clear, host, f"{swap.name}{OLD}", swap.old_id)
        await in_thread(host.rename, swap.old_id, f"{swap.name}{OLD}")
    new = await in_thread(host.container, swap.next_id)
    if new is not None and _name(new) != swap.name:
        await in_thread(host.rename, swap.next_id, swap.name)
