"""The steps of a look at an engine: each asks one thing and notes what it found."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from chaos.process.ports import holder
from supervisor.engine.facts import read_facts
from supervisor.engine.metrics import Vitals, read_vitals
from supervisor.probes.depths.ask import Asked, Line
from supervisor.probes.depths.forced import tool
from supervisor.probes.depths.seen import Generation, Limits, Seen
from supervisor.probes.probe import Outcome, Step

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
FAR_TOO_MANY = 1_000_000_000
"""Tokens that no engine has room for."""

LOOKS = 5
"""How often to ask again who answers; of two engines in turn by chance one in 32 is missed."""

WATCH_EVERY_S = 0.1


PROVES = {
    "health": "the process that answers HTTP lives and does not know its engine to be dead",
    "process": "who listens on its port",
    "models": "its names and context length; nothing about the engine behind it",
    "metrics": "what waits and runs, and how far its heartbeat is",
    "tools": "its tool-call flags, before anything is generated",
    "generation": "the engine makes progress",
    "tool_formats": (
        "which formats of tool calls its parser reads, whatever its model writes; parsers that "
        "read alike, or look for tokens instead of text, are not told apart"
    ),
    "reasoning_formats": (
        "which formats of thoughts it sets apart, whatever its model writes; a parser that rests "
        "while its model is told not to think shows only by a thought of the model's own"
    ),
}


@dataclass(slots=True)
class Look:
    """One look in the making."""

    line: Line
    limits: Limits
    seen: Seen
    steps: list[Step] = field(default_factory=list)

    def note(self, name: str, found: str, outcome: Outcome, took_s: float) -> None:
        self.steps.append(Step(name, PROVES[name], found, outcome, took_s))

    def learn(self, **facts: Any) -> None:
        self.seen = replace(self.seen, facts=replace(self.seen.facts, **facts))


async def who_listens(look: Look) -> None:
    """Name who listens; only where that is this machine's own business."""
    if look.seen.health.status is None:
        return
    address = urlsplit(look.line.url)
    if address.hostname in LOOPBACK and address.port:
        who = await asyncio.to_thread(holder, address.port)
        look.note("process", who, Outcome.OK, 0.0)


async def names(look: Look) -> None:
    """Ask for its names, their room and its version."""
    models = await look.line.get("/v1/models", within_s=look.limits.answer_s)
    _identify(look, models)
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


async def counters(look: Look) -> None:
    """Ask for its metrics, and with them for its heartbeat."""
    metrics = await look.line.get("/metrics", within_s=look.limits.answer_s)
    facts = read_facts(look.seen.facts, metrics=metrics.text if metrics.ok else "")
    look.seen = replace(look.seen, metrics=metrics, facts=facts)
    _beat(look, metrics)
    await _while_in_hand(look)
    await _who_answers(look)
    vitals = look.seen.vitals
    if not vitals.readable:
        look.note("metrics", metrics.told, Outcome.UNKNOWN, metrics.took_s)
        return
    parts = [f"{vitals.running or 0:g} run, {vitals.waiting or 0:g} wait"]
    if look.seen.moved is False:
        parts.append("the engine made no step meanwhile")
    if vitals.kv_cache_usage_ratio is not None:
        parts.append(f"KV cache {vitals.kv_cache_usage_ratio:.0%} full")
    parts.append("a tool-call parser" if facts.has_tool_parser else "no tool-call parser")
    look.note("metrics", ", ".join(parts), Outcome.OK, metrics.took_s)


def _beat(look: Look, metrics: Asked) -> Vitals:
    """Take the vitals of one answer, and when its process was started."""
    vitals = read_vitals(metrics.text) if metrics.ok else Vitals()
    starts = look.seen.starts
    if vitals.started_at_s is not None:
        starts = (*starts, vitals.started_at_s)
        look.learn(started_at_s=vitals.started_at_s)
    look.seen = replace(look.seen, starts=starts)
    # One answer that fails does not undo what others said.
    if vitals.readable or not look.seen.vitals.readable:
        look.seen = replace(look.seen, vitals=vitals)
    return vitals


def model_to_ask(seen: Seen) -> str | None:
    """Name the model to ask for: what the gateway asks for, where that is served."""
    if seen.models is not None and seen.models.status is None:
        # It did not say what it serves; whether it works can be asked all the same.
        return next(iter(seen.facts.asked_for), None)
    served = seen.facts.names or ()
    wanted = [name for name in seen.facts.asked_for if name in served]
    return next(iter((*wanted, *served)), None)


async def tool_flags(look: Look) -> None:
    """Offer a tool and ask for more tokens than there is room for.

    vLLM looks at the flags first: without them it says so, with them it refuses the tokens.
    Either way nothing is generated. Source: vLLM 0.32.0, run; its counters do not move.
    """
    model = model_to_ask(look.seen)
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
        found, outcome = f"inconclusive: {asked.told}", Outcome.UNKNOWN
    look.note("tools", found, outcome, asked.took_s)


async def one_token(look: Look) -> None:
    """Ask for one token, and look meanwhile at what moves."""
    model = model_to_ask(look.seen)
    if model is None:
        return
    body = {
        "model": model,
        "messages": [{"role": "user", "content": "x"}],
        "max_tokens": 1,
        "temperature": 0,
    }
    limits = look.limits
    # Looked at anew: what moved before this question proves nothing of what comes after it.
    before = _beat(look, await look.line.get("/metrics", within_s=limits.answer_s))
    load: float | None = None
    async with asyncio.TaskGroup() as tasks:
        # Looked at shortly before the deadline: the counter forgets a caller who has left.
        during = tasks.create_task(_load_after(look, limits.first_token_s * 0.8))
        asked = await look.line.post("/v1/chat/completions", body, within_s=limits.first_token_s)
        if during.done():
            load = during.result()
        during.cancel()
    after = _beat(look, await look.line.get("/metrics", within_s=limits.answer_s))
    generation = Generation(asked, before, after, load)
    look.seen = replace(look.seen, generation=generation)
    await _who_answers(look, times=0)
    _read_reply(look, asked)
    found = f"a token after {asked.took_s:.2f} s" if generation.answered else asked.told
    if asked.ok and not generation.answered:
        found += ", no reply of a model"
    if generation.moved is not None and not generation.answered:
        found += ", meanwhile the engine " + ("worked" if generation.moved else "made no step")
    outcome = Outcome.OK if generation.answered else Outcome.BAD
    look.note("generation", found, outcome, asked.took_s)


async def _load_after(look: Look, seconds: float) -> float | None:
    await look.line.clock.sleep(seconds)
    told = (await look.line.get("/load", within_s=look.limits.answer_s)).json
    load = told.get("server_load") if isinstance(told, dict) else None
    return float(load) if isinstance(load, int | float) else None


async def _while_in_hand(look: Look) -> None:
    """Watch the heartbeat where requests are in its hands, until it moves or time is up."""
    first, clock = look.seen.vitals, look.line.clock
    if not (first.waiting or first.running):
        return
    until_s = clock.monotonic() + look.limits.answer_s
    while True:
        now = _beat(look, await look.line.get("/metrics", within_s=look.limits.answer_s))
        if now.steps is None or first.steps is None or not (now.waiting or now.running):
            return
        look.seen = replace(look.seen, moved=now.steps != first.steps)
        if look.seen.moved or clock.monotonic() >= until_s:
            return
        await clock.sleep(WATCH_EVERY_S)


async def _who_answers(look: Look, *, times: int = LOOKS) -> None:
    """Ask more often who answers, and more often still where that was not always the same.

    A restart goes from one process to the next and never back; two engines take turns.
    """
    clock = look.line.clock
    until_s = clock.monotonic() + look.limits.who_s
    while times > 0 and clock.monotonic() < until_s:
        times -= 1
        await _ask_who(look)
    if len({*look.seen.starts}) > 1 or len({*look.seen.identities}) > 1:
        for _ in range(LOOKS):
            await _ask_who(look)


async def _ask_who(look: Look) -> None:
    within_s, vitals = look.limits.answer_s, look.seen.vitals
    if look.seen.starts:
        _beat(look, await look.line.get("/metrics", within_s=within_s))
        # Who answers is asked here, not how it stands.
        look.seen = replace(look.seen, vitals=vitals)
    if look.seen.identities:
        _identify(look, await look.line.get("/v1/models", within_s=within_s))


def _identify(look: Look, models: Asked) -> None:
    """Take from one answer what tells this engine from another."""
    said = read_facts(look.seen.facts, models=models.text) if models.ok else None
    if said is not None and said.names is not None:
        who = (said.names, said.root, tuple(sorted(said.max_model_len.items())))
        look.seen = replace(look.seen, identities=(*look.seen.identities, who))


def _read_reply(look: Look, asked: Asked) -> None:
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


def went(asked: Asked) -> Outcome:
    """Tell whether a question was answered with 200."""
    return Outcome.OK if asked.ok else Outcome.BAD
