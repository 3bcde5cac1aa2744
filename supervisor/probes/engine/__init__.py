"""Look into an engine: several depths, the cheapest first, each saying what it proves.

    health      the process that answers HTTP is there      no proof that the engine works
    models      names and context length                    answered also over a dead engine
    metrics     queue, KV cache, heartbeat, parser present   frozen over an engine that hangs
    tools       its tool-call flags; costs no token          not that the parser fits the model
    generation  one token comes, or the engine hangs         not that its answers are right
    parsers     which formats its parsers read               not that the model writes them

Whether all of it together serves a user is what drills are for.
"""

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from chaos.clock import Clock, SystemClock
from chaos.port_holder import holder
from supervisor.engine_facts import EngineFacts, read_facts, root_of
from supervisor.probe import Outcome, State, Step
from supervisor.probes.engine.ask import Asked, Line, Trouble
from supervisor.probes.engine.forced import (
    CALLS,
    OWN,
    THOUGHTS,
    call_request,
    has_own_thought,
    own_thought_request,
    read_by,
    reads_call,
    reads_thought,
    thought_request,
    tool,
)
from supervisor.probes.engine.seen import Generation, Limits, Seen
from supervisor.probes.engine.state import judge
from supervisor.probes.engine.vitals import Vitals, read_vitals

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
FAR_TOO_MANY = 1_000_000_000
"""Tokens that no engine has room for."""


class Depth(IntEnum):
    """How far to look; each depth holds those before it."""

    HEALTH = 1
    MODELS = 2
    METRICS = 3
    TOOLS = 4
    GENERATION = 5
    PARSERS = 6


PROVES = {
    "health": "the process that answers HTTP lives and does not know its engine to be dead",
    "process": "who listens on its port",
    "models": "its names and context length; nothing about the engine behind it",
    "metrics": "what waits and runs, and how far its heartbeat is",
    "tools": "its tool-call flags, before anything is generated",
    "generation": "the engine makes progress",
    "tool_formats": "which formats of tool calls its parser reads, whatever its model writes",
    "reasoning_formats": "which formats of thoughts it sets apart, whatever its model writes",
}


@dataclass(frozen=True, slots=True)
class EngineReading:
    """One look at an engine.

    Attributes:
        facts: To be handed in as *previous* next time.
    """

    state: State
    reason: str
    steps: tuple[Step, ...]
    facts: EngineFacts


@dataclass(slots=True)
class _Look:
    """One look in the making."""

    line: Line
    limits: Limits
    seen: Seen
    steps: list[Step] = field(default_factory=list)

    def note(self, name: str, found: str, outcome: Outcome, took_s: float) -> None:
        self.steps.append(Step(name, PROVES[name], found, outcome, took_s))

    def learn(self, **facts: Any) -> None:
        self.seen = replace(self.seen, facts=replace(self.seen.facts, **facts))


async def probe_engine(
    session: aiohttp.ClientSession,
    base_url: str,
    *,
    group: str = "",
    asked_for: tuple[str, ...] = (),
    key: str | None = None,
    depth: Depth = Depth.GENERATION,
    previous: EngineFacts | None = None,
    limits: Limits | None = None,
    clock: Clock | None = None,
) -> EngineReading:
    """Look at the engine at *base_url* (its root or its ``/v1``) as deep as *depth*.

    Never raises: an engine that answers nonsense, or nothing, is a state with a reason.

    Args:
        asked_for: The names by which the gateway asks it for models.
        key: Its own key, if it wants one.
        previous: What it was when it was seen before; None at the first time.
    """
    limits, clock = limits or Limits(), clock or SystemClock()
    line = Line(session, clock, root_of(base_url), key)
    health = await line.get("/health", within_s=limits.answer_s)
    facts = EngineFacts(group, line.url, asked_for)
    look = _Look(line, limits, Seen(facts, health))
    look.note("health", health.told, _went(health), health.took_s)
    await _process(look)
    asked = (
        (Depth.MODELS, _models),
        (Depth.METRICS, _metrics),
        (Depth.TOOLS, _tools),
        (Depth.GENERATION, _generation),
        (Depth.PARSERS, _parsers),
    )
    for at, step in asked:
        if depth >= at and not _gone(look.seen):
            await step(look)
    state, reason = judge(look.seen, previous, limits)
    return EngineReading(state, reason, tuple(look.steps), look.seen.facts)


def _gone(seen: Seen) -> bool:
    """Nobody listens, so that there is nothing more to ask."""
    return seen.health.trouble is Trouble.REFUSED


async def _process(look: _Look) -> None:
    """Name who listens; only where that is this machine's own business."""
    address = urlsplit(look.line.url)
    if address.hostname in LOOPBACK and address.port and not _gone(look.seen):
        who = await asyncio.to_thread(holder, address.port)
        look.note("process", who, Outcome.OK, 0.0)


async def _models(look: _Look) -> None:
    models = await look.line.get("/v1/models", within_s=look.limits.answer_s)
    version = await look.line.get("/version", within_s=look.limits.answer_s)
    facts = read_facts(look.seen.facts, models=models.text if models.ok else "")
    told = version.json if version.ok else None
    number = told.get("version") if isinstance(told, dict) else None
    facts = replace(facts, version=number if isinstance(number, str) else None)
    look.seen = replace(look.seen, models=models, facts=facts)
    lengths = facts.max_model_len
    shown = [f"{n} ({lengths[n]:,} tokens)" if n in lengths else n for n in facts.names or ()]
    found = ", ".join(shown) if shown else models.told
    outcome = Outcome.OK if shown else Outcome.BAD
    look.note("models", found, outcome, models.took_s)


async def _metrics(look: _Look) -> None:
    metrics = await look.line.get("/metrics", within_s=look.limits.answer_s)
    facts = read_facts(look.seen.facts, metrics=metrics.text if metrics.ok else "")
    look.seen = replace(look.seen, metrics=metrics, facts=facts)
    _beat(look, metrics)
    vitals = look.seen.vitals
    if not vitals.readable:
        look.note("metrics", metrics.told, Outcome.UNKNOWN, metrics.took_s)
        return
    parts = [f"{vitals.running or 0:g} run, {vitals.waiting or 0:g} wait"]
    if vitals.kv_cache_usage_ratio is not None:
        parts.append(f"KV cache {vitals.kv_cache_usage_ratio:.0%} full")
    parts.append("a tool-call parser" if facts.has_tool_parser else "no tool-call parser")
    look.note("metrics", ", ".join(parts), Outcome.OK, metrics.took_s)


def _beat(look: _Look, metrics: Asked) -> Vitals:
    """Take the vitals of one answer, and when its process was started."""
    vitals = read_vitals(metrics.text) if metrics.ok else Vitals()
    starts = look.seen.starts
    if vitals.started_at_s is not None:
        starts = (*starts, vitals.started_at_s)
        look.learn(started_at_s=vitals.started_at_s)
    look.seen = replace(look.seen, vitals=vitals, starts=starts)
    return vitals


def _model(seen: Seen) -> str | None:
    """Name the model to ask for: what the gateway asks for, where that is served."""
    served = seen.facts.names or ()
    wanted = [name for name in seen.facts.asked_for if name in served]
    return next(iter((*wanted, *served)), None)


async def _tools(look: _Look) -> None:
    """Offer a tool and ask for more tokens than there is room for.

    vLLM looks at the flags first: without them it says so, with them it refuses the tokens.
    Either way nothing is generated. Source: vLLM 0.32.0, run; its counters do not move.
    """
    model = _model(look.seen)
    if model is None or not look.seen.facts.max_model_len:
        return
    body = {
        "model": model,
        "messages": [{"role": "user", "content": "x"}],
        "max_tokens": FAR_TOO_MANY,
        "tools": [tool()],
        "tool_choice": "auto",
    }
    asked = await look.line.post("/v1/chat/completions", body, within_s=look.limits.answer_s)
    look.seen = replace(look.seen, tools=asked)
    if asked.status == 400 and "--enable-auto-tool-choice" in asked.text:
        look.learn(auto_tools=False)
        found, outcome = "it refuses every request with tools: its flags are missing", Outcome.BAD
    elif asked.status == 400 and "max_tokens" in asked.text:
        look.learn(auto_tools=True)
        found, outcome = "it takes requests with tools", Outcome.OK
    else:
        found, outcome = f"it does not tell: {asked.told}", Outcome.UNKNOWN
    look.note("tools", found, outcome, asked.took_s)


async def _generation(look: _Look) -> None:
    model = _model(look.seen)
    if model is None:
        return
    body = {
        "model": model,
        "messages": [{"role": "user", "content": "x"}],
        "max_tokens": 1,
        "temperature": 0,
    }
    limits, before = look.limits, look.seen.vitals
    load: float | None = None
    async with asyncio.TaskGroup() as tasks:
        # Looked at shortly before the deadline: the counter forgets a caller who has left.
        during = tasks.create_task(_load_after(look, limits.first_token_s * 0.8))
        asked = await look.line.post("/v1/chat/completions", body, within_s=limits.first_token_s)
        during.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            load = await during
    after = _beat(look, await look.line.get("/metrics", within_s=limits.answer_s))
    generation = Generation(asked, before, after, load)
    look.seen = replace(look.seen, generation=generation)
    await _who_answers(look)
    _read_reply(look, asked)
    found = f"a token after {asked.took_s:.2f} s" if asked.ok else asked.told
    if generation.moved is not None and not asked.ok:
        found += ", meanwhile the engine " + ("worked" if generation.moved else "made no step")
    look.note("generation", found, _went(asked), asked.took_s)


async def _load_after(look: _Look, seconds: float) -> float | None:
    await look.line.clock.sleep(seconds)
    told = (await look.line.get("/load", within_s=look.limits.answer_s)).json
    load = told.get("server_load") if isinstance(told, dict) else None
    return float(load) if isinstance(load, int | float) else None


async def _who_answers(look: _Look) -> None:
    """Ask once more where two answers came from two processes: restarted, or two of them?"""
    if len({*look.seen.starts}) > 1:
        for _ in range(4):
            _beat(look, await look.line.get("/metrics", within_s=look.limits.answer_s))


def _read_reply(look: _Look, asked: Asked) -> None:
    """Learn the fingerprint, and whether tokens of reasoning are counted."""
    body = asked.json if asked.ok else None
    if not isinstance(body, dict):
        return
    fingerprint = body.get("system_fingerprint")
    if isinstance(fingerprint, str):
        look.learn(fingerprint=fingerprint)
    usage = body.get("usage")
    if isinstance(usage, dict) and "completion_tokens_details" in usage:
        look.learn(has_reasoning_parser=usage["completion_tokens_details"] is not None)


async def _parsers(look: _Look) -> None:
    model, generation = _model(look.seen), look.seen.generation
    if model is None or generation is None or not generation.asked.ok:
        return
    within_s = look.limits.first_token_s
    if look.seen.facts.auto_tools is not False:
        calls = [
            (
                one,
                await look.line.post(
                    "/v1/chat/completions", call_request(model, one), within_s=within_s
                ),
            )
            for one in CALLS
        ]
        formats = read_by((one.format, reads_call(asked.json)) for one, asked in calls)
        look.learn(tool_formats=formats)
        took_s = sum(asked.took_s for _, asked in calls)
        look.note("tool_formats", *_formats(formats), took_s)
    thoughts = [
        (
            one,
            await look.line.post(
                "/v1/chat/completions", thought_request(model, one), within_s=within_s
            ),
        )
        for one in THOUGHTS
    ]
    formats = read_by((one.format, reads_thought(asked.json)) for one, asked in thoughts)
    if formats == () and look.seen.facts.has_reasoning_parser:
        own = await look.line.post(
            "/v1/chat/completions", own_thought_request(model), within_s=within_s
        )
        formats = (OWN,) if has_own_thought(own.json) else ()
    look.learn(reasoning_formats=formats)
    took_s = sum(asked.took_s for _, asked in thoughts)
    look.note("reasoning_formats", *_formats(formats), took_s)


def _formats(formats: tuple[str, ...] | None) -> tuple[str, Outcome]:
    if formats is None:
        return "it writes no text that it is told to write", Outcome.UNKNOWN
    if not formats:
        return "it reads none of those that were tried", Outcome.UNKNOWN
    return f"it reads {' and '.join(formats)}", Outcome.OK


def _went(asked: Asked) -> Outcome:
    return Outcome.OK if asked.ok else Outcome.BAD


def lines_of(reading: EngineReading) -> Iterator[str]:
    """Tell a reading to people, a line for each step."""
    yield f"{reading.state}: {reading.reason}"
    for step in reading.steps:
        yield f"  {step.name:<18} {step.found}"
