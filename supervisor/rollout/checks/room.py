"""There is room for the new engine once the old one is gone: memory, and disk."""

from collections.abc import Iterable

from supervisor.rollout.facts import RolloutFacts
from supervisor.rollout.finding import Answer, Finding

GIB = 1 << 30


def check(facts: RolloutFacts) -> Iterable[Finding]:
    """Ask how much there is, and how much there will be."""
    yield from _disk(facts)
    yield from _memory(facts)


def _disk(facts: RolloutFacts) -> Iterable[Finding]:
    floor, free = facts.file.limits.free_disk_gib, facts.disk_free_bytes
    asked = f"{floor:g} GiB of Docker's disk are free"
    folder = facts.docker.get("DockerRootDir") or "Docker's folder"
    if free is None:
        yield Finding("disk", Answer.UNKNOWN, asked, f"{folder} cannot be looked at from here")
    elif free < floor * GIB:
        yield Finding(
            "disk",
            Answer.REFUSED,
            asked,
            f"{free / GIB:.1f} GiB are free in {folder}",
            "Make room (docker image prune), or ask for less: limits.free_disk_gib.",
        )
    else:
        yield Finding("disk", Answer.OK, asked, f"{free / GIB:.1f} GiB in {folder}")


def _memory(facts: RolloutFacts) -> Iterable[Finding]:
    needed, margin = facts.file.expect.memory_gib, facts.file.limits.free_memory_gib
    if needed is None:
        yield Finding(
            "memory",
            Answer.UNKNOWN,
            "the host has memory for the new engine",
            "expect.memory_gib says nothing: right for a GPU with its own memory; where it shares "
            "the host's, a start that finds too little can wedge the machine",
        )
        return
    asked = f"{needed:g} GiB for the engine and {margin:g} GiB beside it"
    total, available = facts.memory.total, facts.memory.available
    if total is None or available is None:
        yield Finding("memory", Answer.UNKNOWN, asked, "this machine does not tell its memory")
        return
    returns = old_bytes(facts)
    then = min(total, available + returns)
    came = (
        f"{available / GIB:.1f} GiB are available, and the old engine gives back "
        f"{returns / GIB:.1f}: {then / GIB:.1f} of {total / GIB:.1f} GiB"
    )
    if then < (needed + margin) * GIB:
        yield Finding(
            "memory",
            Answer.REFUSED,
            asked,
            came,
            "Ask for less (--gpu-memory-utilization, --max-model-len, a smaller KV cache), or end "
            "what else takes memory.",
        )
    else:
        yield Finding("memory", Answer.OK, asked, came)


def old_bytes(facts: RolloutFacts) -> int:
    """Say what comes back when the old engine ends, as far as anything tells.

    A GPU that shares the host's memory takes it outside of the container's own account: then the
    log of its start has the better figure.
    """
    log = facts.log
    told = (log.weights_gib or 0.0) + (log.kv_cache_gib or 0.0) if log is not None else 0.0
    if facts.state is None or not facts.state.running:
        return 0  # It has given back what it had.
    shares = facts.file.expect.memory_gib is not None
    return max(facts.old_memory_bytes or 0, int(told * GIB) if shares else 0)
