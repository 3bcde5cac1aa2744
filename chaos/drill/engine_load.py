"""Read an engine's own counters, to see a drill from the far end as well.

Only counting; judging an engine's health is the probes' job. An engine without such metrics is
unknown, never an error.
"""

import re
from dataclasses import dataclass

import aiohttp
from yarl import URL

from chaos.judge.observation import EngineDelta

SAMPLE = re.compile(r"^(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>[^}]*)\})?\s+(?P<value>\S+)")
MOST_METRICS_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class EngineCounters:
    """An engine at one moment; None for what it does not publish.

    Source: metric names of vLLM 0.32.0.
    """

    requests: float | None = None
    generation_tokens: float | None = None
    tool_calls_parsed: float | None = None
    running: float | None = None
    waiting: float | None = None

    @property
    def busy(self) -> bool | None:
        """Users wait in its queue; None if it does not say."""
        return None if self.waiting is None else self.waiting > 0


NAMES = {
    "vllm:request_success_total": "requests",
    "vllm:generation_tokens_total": "generation_tokens",
    "vllm:num_requests_running": "running",
    "vllm:num_requests_waiting": "waiting",
}


def parse(text: str) -> EngineCounters:
    """Add up the samples of each metric that we know; skip what we do not."""
    sums: dict[str, float] = {}
    for line in text.splitlines():
        found = SAMPLE.match(line)
        if found is None:
            continue
        field = NAMES.get(found["name"])
        if found["name"] == "vllm:tool_call_parser_invocations_total":
            field = (
                "tool_calls_parsed" if 'outcome="tool_call"' in (found["labels"] or "") else None
            )
        if field is None:
            continue
        try:
            sums[field] = sums.get(field, 0.0) + float(found["value"])
        except ValueError:
            continue
    return EngineCounters(**sums)


async def read_counters(
    session: aiohttp.ClientSession, base_url: str, *, within_s: float = 10.0
) -> EngineCounters | None:
    """Ask the engine behind *base_url* (its ``/v1`` or its root) for its counters.

    Returns:
        None if it has no readable metrics, or more than we read; nothing about its health
        follows from that.
    """
    try:
        async with session.get(
            URL(base_url).with_path("/metrics"), timeout=aiohttp.ClientTimeout(total=within_s)
        ) as reply:
            if reply.status != 200:
                return None
            body = bytearray()
            async for piece in reply.content.iter_any():
                body += piece
                if len(body) > MOST_METRICS_BYTES:
                    return None
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return None
    counters = parse(body.decode("utf-8", "replace"))
    return None if counters == EngineCounters() else counters


def delta(engine: str, before: EngineCounters, after: EngineCounters) -> EngineDelta:
    """Tell how the counters moved; None where one of the two is unknown."""
    return EngineDelta(
        engine,
        _moved(before.requests, after.requests),
        _moved(before.generation_tokens, after.generation_tokens),
        _moved(before.tool_calls_parsed, after.tool_calls_parsed),
    )


def _moved(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before
