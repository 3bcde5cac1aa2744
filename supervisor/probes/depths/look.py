"""Look into an engine: several depths, the cheapest first, each saying what it proves.

    health      the process that answers HTTP is there      no proof that the engine works
    models      names and context length                    answered also over a dead engine
    metrics     queue, KV cache, heartbeat, parser present   frozen over an engine that hangs
    tools       its tool-call flags; costs no token          not that the parser fits the model
    generation  one token comes, or the engine hangs         not that its answers are right
    parsers     which formats its parsers read               not that the model writes them

Whether all of it together serves a user is what drills are for.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import aiohttp

from chaos.clock import Clock, SystemClock
from supervisor.engine.facts import EngineFacts, root_of
from supervisor.probes.depths import steps
from supervisor.probes.depths.ask import Line, Trouble
from supervisor.probes.depths.formats import formats
from supervisor.probes.depths.seen import Limits, Seen
from supervisor.probes.depths.state import judge
from supervisor.probes.probe import State, Step


class Depth(IntEnum):
    """How far to look; each depth holds those before it."""

    HEALTH = 1
    MODELS = 2
    METRICS = 3
    TOOLS = 4
    GENERATION = 5
    PARSERS = 6


@dataclass(frozen=True, slots=True)
class EngineReading:
    """One look at an engine.

    Attributes:
        facts: To be handed in as *previous* next time.
        heartbeat: Steps of the engine since it started; None if it does not say.
        served: Requests that it has ended since then, likewise.
    """

    state: State
    reason: str
    steps: tuple[Step, ...]
    facts: EngineFacts
    heartbeat: float | None = None
    served: float | None = None


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
    nameless = health.trouble is Trouble.NAMELESS
    gone = nameless or health.trouble is Trouble.REFUSED
    facts = EngineFacts(group, line.url, asked_for, health.problem if gone else "", nameless)
    look = steps.Look(line, limits, Seen(facts, health, keyed=key is not None))
    look.note("health", health.told, steps.went(health), health.took_s)
    await steps.who_listens(look)
    asked = (
        (Depth.MODELS, steps.names),
        (Depth.METRICS, steps.counters),
        (Depth.TOOLS, steps.tool_flags),
        (Depth.GENERATION, steps.one_token),
        (Depth.PARSERS, formats),
    )
    for at, step in asked:
        # Where nobody listens, or nobody is to be found, there is nothing more to ask.
        if depth >= at and not gone:
            await step(look)
    state, reason = judge(look.seen, previous, limits)
    last = look.seen.generation.after if look.seen.generation else look.seen.vitals
    return EngineReading(state, reason, tuple(look.steps), look.seen.facts, last.steps, last.served)


def lines_of(reading: EngineReading) -> Iterator[str]:
    """Tell a reading to people, a line for each step."""
    yield f"{reading.state}: {reading.reason}"
    for step in reading.steps:
        yield f"  {step.name:<18} {step.found}"
