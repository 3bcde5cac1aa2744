"""What would be different: the container that runs against the one that is to run. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from supervisor.rollout.command_line import VllmCommand, hidden, is_secret, same_value, shown
from supervisor.rollout.container_spec import ContainerSpec
from supervisor.rollout.facts import RolloutFacts

NOT_THERE = "—"

_PARTS = (
    *("gpus", "devices", "network", "ports", "ipc", "pid", "shm_size", "ulimits", "memory", "user"),
    *("groups", "working_dir", "privileged", "cap_add", "cap_drop", "security", "runtime"),
    *("read_only", "tmpfs", "hosts", "init", "labels", "log_driver", "log_options", "stop_signal"),
    "restart",
)
"""Of a container's specification, what is compared as it is."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference, for people.

    Attributes:
        what: A flag, a variable, a mount, or a part of the container.
        now: As it is; ``—`` where it is not there.
        then: As it would be.
        effective: What the running engine made of it, where that is known and differs.
    """

    what: str
    now: str
    then: str
    effective: str = ""


def changes_of(facts: RolloutFacts) -> tuple[Change, ...]:
    """List the differences; without a running container everything would be new."""
    running, wanted = facts.running, facts.spec
    if running is None:
        return ()
    return (
        *_image(facts, running, wanted),
        *_command(facts, running, wanted),
        *_variables(running.environment, wanted.environment),
        *_mounts(running, wanted),
        *_parts(running, wanted),
    )


def effective_of(facts: RolloutFacts) -> tuple[tuple[str, str], ...]:
    """Say what the running engine is in effect, as far as it tells: name and value."""
    engine, log, capacity = facts.engine, facts.log, facts.capacity
    rows: list[tuple[str, Any]] = [
        ("serves", ", ".join((engine.names if engine is not None else None) or ())),
        ("vLLM", log.version if log is not None else None),
        ("context", _count(_context(facts), "tokens")),
        ("KV cache", _count(capacity.kv_cache_tokens, "tokens")),
        ("weights", f"{log.weights_gib:g} GiB" if log and log.weights_gib else None),
        ("quantisation", log.quantization if log else None),
        ("MoE kernels", log.moe_backend if log else None),
        ("attention", log.attention_backend if log else None),
        ("last start", f"{facts.start_s:.0f} s" if facts.start_s is not None else None),
    ]
    return tuple((name, str(value)) for name, value in rows if value)


def _context(facts: RolloutFacts) -> int | None:
    lengths = facts.engine.max_model_len if facts.engine is not None else {}
    told = min(lengths.values(), default=None)
    return told or (facts.log.max_model_len if facts.log is not None else None)


def _count(value: int | None, unit: str) -> str | None:
    return f"{value:,} {unit}" if value is not None else None


def _image(facts: RolloutFacts, running: ContainerSpec, wanted: ContainerSpec) -> Iterable[Change]:
    now = str((facts.container or {}).get("Image") or "")
    then = str((facts.image or {}).get("Id") or "")
    if running.image != wanted.image or (then and now != then):
        yield Change("image", _named(running.image, now), _named(wanted.image, then))


def _named(name: str, identity: str) -> str:
    short = identity.removeprefix("sha256:")[:12]
    return f"{name} ({short})" if short and short not in name else name


def _command(
    facts: RolloutFacts, running: ContainerSpec, wanted: ContainerSpec
) -> Iterable[Change]:
    old, new = facts.old_command, facts.command
    if old is None or new is None:
        for part in ("entrypoint", "command"):
            before, after = getattr(running, part), getattr(wanted, part)
            if before != after:
                yield Change(part, _words(before), _words(after))
        return
    if old.before != new.before:
        yield Change("started by", _words(old.before), _words(new.before))
    if old.model != new.model:
        yield Change("model", old.model or NOT_THERE, new.model or NOT_THERE)
    in_effect = _in_effect(facts)
    for flag in dict.fromkeys((*old.flags, *new.flags)):
        if flag == "--model":
            continue
        before, after = old.flags.get(flag), new.flags.get(flag)
        if before is not None and after is not None and same_value(before, after):
            continue
        now = _flag(flag, old)
        effective = in_effect.get(flag, "")
        yield Change(flag, now, _flag(flag, new), "" if effective == now else effective)


def _in_effect(facts: RolloutFacts) -> Mapping[str, str]:
    log, context = facts.log, _context(facts)
    known = {
        "--max-model-len": str(context) if context is not None else None,
        "--quantization": log.quantization if log else None,
        "--moe-backend": log.moe_backend if log else None,
        "--attention-backend": log.attention_backend if log else None,
    }
    return {flag: value for flag, value in known.items() if value}


def _flag(flag: str, command: VllmCommand) -> str:
    values = command.flags.get(flag)
    return NOT_THERE if values is None else shown(flag, values)


def _variables(now: Mapping[str, str | None], then: Mapping[str, str | None]) -> Iterable[Change]:
    for name in dict.fromkeys((*now, *then)):
        before, after = now.get(name), then.get(name)
        if before != after or (name in now) != (name in then):
            yield Change(f"${name}", _value(name, before, now), _value(name, after, then))


def _value(name: str, value: str | None, given: Mapping[str, Any]) -> str:
    if name not in given:
        return NOT_THERE
    return "(hidden)" if is_secret(name) and value else value if value is not None else "?"


def _mounts(running: ContainerSpec, wanted: ContainerSpec) -> Iterable[Change]:
    now = {one.target: one for one in running.mounts}
    then = {one.target: one for one in wanted.mounts}
    for target in dict.fromkeys((*now, *then)):
        before, after = now.get(target), then.get(target)
        if before != after:
            yield Change(
                f"mount {target}",
                str(before).replace(f":{target}", "", 1) if before else NOT_THERE,
                str(after).replace(f":{target}", "", 1) if after else NOT_THERE,
            )


def _parts(running: ContainerSpec, wanted: ContainerSpec) -> Iterable[Change]:
    for part in _PARTS:
        before, after = getattr(running, part), getattr(wanted, part)
        if before != after:
            yield Change(part, _plain(before), _plain(after))


def _plain(value: Any) -> str:
    if value in (None, (), {}, False):
        return NOT_THERE
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(
            f"{name}={'(hidden)' if is_secret(name) else text}" for name, text in value.items()
        )
    return "on" if value is True else str(value)


def _words(words: Iterable[str] | None) -> str:
    return " ".join(hidden(words, "(hidden)")) if words is not None else "the image's own"
