"""Write a first rollout file from what runs today, with a word on every part."""

import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from typing import Any

import yaml
from jinja2 import Environment, StrictUndefined

from supervisor.engine.capacity import Capacity, from_log, merge
from supervisor.engine.container import parse_state
from supervisor.engine.facts import EngineFacts
from supervisor.engine.log import EngineLog, read_log
from supervisor.rollout.command_line import read_command
from supervisor.rollout.container_spec import SAME, ContainerSpec
from supervisor.rollout.docker_host import DockerHost
from supervisor.rollout.facts import since, start_duration_s
from supervisor.rollout.origin import Origin
from supervisor.rollout.origins.container import argv
from supervisor.rollout.places import ports_of

TEMPLATE = "rollout.yaml.j2"
LONGEST_LINE = 96
_BARE = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Running:
    """What runs of an origin.

    Attributes:
        url: Where it answers, by its port; None where that is not told.
        log: What its last start says.
        start_s: How long that took.
    """

    url: str | None = None
    log: EngineLog | None = None
    start_s: float | None = None


def running_of(host: DockerHost, origin: Origin) -> Running:
    """Look at the container that is to be exchanged; blocking."""
    ports = ports_of(origin.spec, read_command(argv(origin.spec, host.image(origin.spec.image))))
    url = f"http://127.0.0.1:{ports[0]}" if ports else None
    described = host.container(origin.container)
    if described is None:
        return Running(url)
    state = parse_state(origin.container, described)
    last = since(host.log(origin.container, timestamps=True), state.started_at)
    text = "\n".join(line.partition(" ")[2] for line in last.splitlines())
    return Running(url, read_log(text), start_duration_s(last, state.started_at))


def first_file(
    origin: Origin,
    *,
    engine: str,
    url: str | None,
    file: str,
    today: date,
    facts: EngineFacts | None = None,
    running: Running | None = None,
) -> str:
    """Write it; ``parse_rollout`` takes it.

    Args:
        engine: The model group.
        url: Where the engine answers, if the configuration does not say it.
        file: What it will be called, for the commands in it.
        facts: What the engine that runs says; None where it was not asked.
    """
    running = running or Running()
    log, start_s = running.log, running.start_s
    environment = Environment(
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 -- YAML, not HTML; every value goes through the filter
    )
    environment.filters["yaml"] = _yaml
    template = environment.from_string(
        files("supervisor.rollout").joinpath("templates").joinpath(TEMPLATE).read_text("utf-8")
    )
    capacity = facts.capacity if facts is not None else Capacity()
    capacity = merge(capacity, from_log(log)) if log is not None else capacity
    lengths = list(facts.max_model_len.values()) if facts is not None else []
    weights = log.weights_gib if log is not None else None
    cache = log.kv_cache_gib if log is not None else None
    return template.render(
        container=origin.container,
        source=_line(origin.source),
        today=today.isoformat(),
        file=shlex.quote(file),
        engine=engine,
        url=url,
        same=SAME,
        run=_run(origin.spec),
        model=facts.names[0] if facts is not None and facts.names else None,
        context=min(lengths, default=None),
        kv_tokens=capacity.kv_cache_tokens,
        memory_gib=(weights + (cache or 0.0)) if weights is not None else None,
        log=[f"Using '{log.moe_backend}'"] if log is not None and log.moe_backend else [],
        # Twice its last start: the boot lottery, and a page cache that is cold.
        start=f"{max(10, round((start_s or 0.0) * 2 / 60) + 5)}m",
        left_out=[_line(one) for one in origin.left_out],
    )


def _run(spec: ContainerSpec) -> str:
    raw = spec.model_dump(mode="json", exclude_defaults=True)
    # Docker's own default is no restart; ours is not, so it is always written.
    raw["restart"] = spec.restart
    lines = [f"image: {_yaml(raw.pop('image'))}"]
    for part in ("entrypoint", "command"):
        words = raw.pop(part, None)
        if words is not None:
            lines += _words(part, words)
    raw["environment"] = spec.environment
    for name, value in raw.items():
        if value in ({}, []):
            continue
        dumped = yaml.safe_dump(
            {name: value}, sort_keys=False, allow_unicode=True, width=LONGEST_LINE
        )
        lines += dumped.rstrip("\n").splitlines()
    return "\n".join(f"  {line}" for line in lines)


def _words(part: str, words: Sequence[str]) -> list[str]:
    """Write a command as people do: a flag and its values a line."""
    if not words:
        return [f"{part}: []"]
    quoted = [shlex.quote(word) for word in words]
    plain = all(word.isprintable() and word == word.strip() for word in words)
    if not plain or shlex.split(" ".join(quoted)) != list(words):
        return [f"{part}:", *(f"  - {_yaml(word)}" for word in words)]
    rows: list[str] = []
    for word, shown in zip(words, quoted, strict=True):
        if not rows or word.startswith("-"):
            rows.append(shown)
        else:
            rows[-1] += f" {shown}"
    if len(rows) == 1:
        return [f"{part}: {_yaml(rows[0])}"]
    return [f"{part}: >-", *(f"  {row}" for row in rows)]


def _yaml(value: Any) -> str:
    """Write a value on one line; JSON is YAML, and quotes what has to be quoted."""
    if isinstance(value, str) and _BARE.fullmatch(value) and yaml.safe_load(value) == value:
        return value
    plain = isinstance(value, str) and value.isprintable()
    return json.dumps(value, ensure_ascii=not plain)


def _line(text: str) -> str:
    return " ".join(text.split())
