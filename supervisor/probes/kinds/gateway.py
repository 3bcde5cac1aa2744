"""The gateway: does it answer, is it what it was, and do users fall back?

Only what costs nothing is asked: ``GET /health`` sends a real request to every deployment.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from chaos.clock import Clock
from chaos.errors import GatewayError
from chaos.gateway.client import Gateway
from chaos.gateway.fallback_counts import key_hash, read_fallbacks
from chaos.http_client import USER_AGENT
from supervisor.probes.fallback_traffic import FallbackTraffic, OnFallback
from supervisor.probes.probe import (
    Cadence,
    Outcome,
    Part,
    PartKind,
    ProbeReading,
    State,
    Step,
)

PART = Part(PartKind.GATEWAY)

PROVES = {
    "readiness": "the process answers; its deployments may be dead all the same",
    "models": "the key that sends drills is accepted, and what it may call",
    "configuration": "what its router has loaded, and whether that has changed",
    "metrics": "whether users are served by fallbacks, as far as it counts them",
}


class GatewayProbe:
    """Looks at one gateway.

    Facts: ``version``; ``models`` (how many); ``router`` (a hash of what its router has loaded);
    ``metrics`` (whether it publishes any); ``on_fallback``: a list of
    ``{group, hop, since, last_at, status, exception, count, exhausted}``.

    Args:
        traffic: What is known of users' fallbacks; it outlives a probe that is replaced.
    """

    part = PART
    across_network = True

    def __init__(
        self, gateway: Gateway, clock: Clock, cadence: Cadence, traffic: FallbackTraffic
    ) -> None:
        self.cadence = cadence
        self._gateway = gateway
        self._clock = clock
        self._traffic = traffic
        self._router: str | None = None

    async def probe(self, now: datetime) -> ProbeReading:
        """Look once; one question that is not answered ends the look."""
        steps: list[Step] = []
        facts: dict[str, Any] = {}
        try:
            state, reason = await self._ask(steps, facts, now)
        except GatewayError as error:
            silent = isinstance(error.__cause__, TimeoutError)
            state, reason = (State.HUNG if silent else State.DOWN), error.message
        return ProbeReading(PART, state, reason, tuple(steps), facts)

    async def _ask(
        self, steps: list[Step], facts: dict[str, Any], now: datetime
    ) -> tuple[State, str]:
        began_s = self._clock.monotonic()
        readiness = await self._gateway.readiness()
        took_s = self._clock.monotonic() - began_s
        said = str(readiness.said.get("status", "")) or "no status"
        answered = readiness.status == 200
        found = f"status {readiness.status}, {said}"
        steps.append(_step("readiness", found, took_s, answered=answered))
        if not answered:
            return State.DOWN, f"GET /health/readiness: {found}"
        key_trouble = await self._models(steps, facts)
        facts["version"] = await self._gateway.version()
        changed = await self._configuration(steps, facts)
        await self._metrics(steps, facts, now)
        if key_trouble:
            return State.DRIFTED, key_trouble
        version = f"LiteLLM {facts['version']}" if facts["version"] else "it"
        more = f"; {changed}" if changed else ""
        return State.UP, f"{version} answers after {took_s:.2f} s{more}"

    async def _models(self, steps: list[Step], facts: dict[str, Any]) -> str:
        """Ask what the drills' key may call; returns what is wrong with the key."""
        status, models = await self._gateway.callable_models()
        if models is not None:
            facts["models"] = len(models)
            steps.append(_step("models", f"{len(models)} models", 0.0, answered=True))
            return ""
        steps.append(_step("models", f"status {status}", 0.0, answered=False))
        if status in (401, 403):
            return f"it does not accept the key that sends drills: status {status}"
        return ""

    async def _configuration(self, steps: list[Step], facts: dict[str, Any]) -> str:
        settings = await self._gateway.router_settings()
        if not settings:
            found = Step(
                "configuration", PROVES["configuration"], "it does not say", Outcome.UNKNOWN, 0.0
            )
            steps.append(found)
            return ""
        router = facts["router"] = _hash(settings)
        changed = self._router is not None and router != self._router
        self._router = router
        words = "its router settings have changed" if changed else ""
        steps.append(_step("configuration", words or "as before", 0.0, answered=True))
        return words

    async def _metrics(self, steps: list[Step], facts: dict[str, Any], now: datetime) -> None:
        metrics = await self._gateway.published()
        facts["metrics"] = bool(metrics)
        if metrics:
            self._traffic.note(read_fallbacks(metrics, agent=USER_AGENT), now)
        running = self._traffic.running(now)
        facts["on_fallback"] = [_plain(one) for one in running]
        if not metrics:
            found = "it publishes none: callbacks: [prometheus] is not set"
            outcome = Outcome.UNKNOWN
        elif running:
            groups = ", ".join(one.group for one in running)
            found, outcome = f"users are served by fallbacks: {groups}", Outcome.BAD
        else:
            found, outcome = "no fallbacks of users lately", Outcome.OK
        steps.append(Step("metrics", PROVES["metrics"], found, outcome, 0.0))


def traffic_of(key: str, quiet: timedelta) -> FallbackTraffic:
    """Begin to watch users' fallbacks.

    Args:
        key: Sends the drills.
        quiet: Without a fallback for so long, a group is on its primary again.
    """
    return FallbackTraffic(key_hash(key), quiet)


def _plain(one: OnFallback) -> dict[str, Any]:
    return {
        "group": one.group,
        "hop": one.hop,
        "since": one.since.isoformat(),
        "last_at": one.last_at.isoformat(),
        "status": one.status,
        "exception": one.exception,
        "count": one.count,
        "exhausted": one.exhausted,
    }


def _hash(settings: Mapping[str, Any]) -> str:
    text = json.dumps(settings, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _step(name: str, found: str, took_s: float, *, answered: bool) -> Step:
    outcome = Outcome.OK if answered else Outcome.BAD
    return Step(name, PROVES[name], found, outcome, took_s)
