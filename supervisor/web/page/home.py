"""The snapshot as the page shows it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from markupsafe import Markup

from chaos.gateway.topology import Topology
from supervisor.age import ago
from supervisor.alerts.rule import runbook
from supervisor.audit.report import sentence
from supervisor.headline import headline
from supervisor.installed import Patch, Swap, patches, swaps
from supervisor.probes.kinds.heartbeat import PulseStatus
from supervisor.probes.probe import PartKind, State
from supervisor.probes.standing import Standing
from supervisor.status import Status
from supervisor.store.alerts.records import Phase, Severity, Told
from supervisor.store.engines.rollouts import RolloutState
from supervisor.store.records import Used
from supervisor.web.page.hops import ChainView, chains
from supervisor.web.page.speed_plot import SpeedPlot, speed_plot

PART_TONES: Mapping[State, str] = {
    State.UP: "good",
    State.BUSY: "good",
    State.SLOW: "warn",
    State.UNKNOWN: "none",
    State.DRIFTED: "bad",
    State.HUNG: "bad",
    State.DOWN: "bad",
}
BEAT_TONES: Mapping[PulseStatus, str] = {
    PulseStatus.NEW: "none",
    PulseStatus.ON_TIME: "good",
    PulseStatus.LATE: "warn",
    PulseStatus.MISSED: "bad",
}
MOST_TOLD = 6
RUNBOOK_LINK = Markup('<a href="/{}">What to do</a>')


@dataclass(frozen=True, slots=True)
class Line:
    """Something that is in a state, with what is known of it.

    Attributes:
        tone: ``good``, ``warn``, ``bad`` or ``none``.
        facts: Names and values, in their order.
        plot: Of an engine that was measured: its speed.
    """

    name: str
    tone: str
    state: str
    text: str = ""
    age: str = ""
    facts: Sequence[tuple[str, str]] = ()
    plot: SpeedPlot | None = None


@dataclass(frozen=True, slots=True)
class Home:
    """Everything on the page.

    Attributes:
        tone: Of the sentence at the top.
        firing: Alerts, pages first.
        told: What was told lately, and to whom it came.
        spent: Of today's budget.
        read: The gateway was read; before that nobody knows what there is.
        audited: It was audited.
    """

    headline: str
    tone: str
    at: datetime
    daemon: str
    version: str
    gateway: str
    litellm: str
    halted: str | None
    running: str | None
    measuring: str | None
    chains: Sequence[ChainView]
    firing: Sequence[Line]
    told: Sequence[Line]
    engines: Sequence[Line]
    parts: Sequence[Line]
    swaps: Sequence[Line]
    patches: Sequence[Line]
    heartbeats: Sequence[Line]
    refused: Sequence[Line]
    spent: Sequence[Line]
    findings: Sequence[Line]
    read: bool
    audited: bool
    drills_today: Mapping[str, int] = field(default_factory=dict)


def home(status: Status, topology: Topology | None, told: Sequence[Told]) -> Home:
    """Show a snapshot."""
    now, condition = status.at, status.condition
    return Home(
        headline=headline(status),
        tone=_tone(status),
        at=now,
        daemon=condition.daemon,
        version=condition.version,
        gateway=condition.gateway,
        litellm=condition.litellm_version,
        halted=_halted(status),
        running=condition.running.scenario if condition.running else None,
        measuring=condition.measuring,
        chains=chains(status.paths, topology, now),
        firing=_firing(status),
        told=[_told(one, now) for one in told[:MOST_TOLD]],
        engines=[
            replace(_part(standing, now), plot=speed_plot(status, part.name))
            for part, standing in condition.parts.items()
            if part.kind is PartKind.ENGINE
        ],
        parts=[
            _part(standing, now)
            for part, standing in condition.parts.items()
            if part.kind not in {PartKind.ENGINE, PartKind.HEARTBEAT}
        ],
        swaps=[_swap(swap, now) for swap in swaps(status)],
        patches=[_patch(patch, now) for patch in patches(status)],
        heartbeats=[
            Line(
                one.expected.name,
                BEAT_TONES[one.pulse.status],
                one.pulse.status.value.replace("_", " "),
                f"{one.pulse.missed} missed" if one.pulse.missed else "",
                ago(one.beats.last_at, now),
            )
            for one in status.heartbeats
        ],
        refused=[
            Line(one.kind.replace("_", " "), "none", f"{one.count} times", one.reason)
            for one in status.refused
        ],
        spent=_spent(status),
        findings=[
            Line(
                one.code, "bad" if one.severity == "error" else "warn", one.severity, sentence(one)
            )
            for one in status.findings
            if one.severity != "info"
        ],
        read=condition.topology_at is not None,
        audited=status.audited,
        drills_today=status.counts.today,
    )


def _tone(status: Status) -> str:
    """Say how bad it is, by what the sentence is about."""
    urgent = {one.severity for one in status.alerts if one.phase is Phase.FIRING}
    if status.problems or Severity.PAGE in urgent:
        return "bad"
    if Severity.TICKET in urgent or status.condition.reload_trouble or status.halt is not None:
        return "warn"
    ratio = status.coverage_ratio
    return "none" if ratio is None else "good" if ratio == 1 else "warn"


def _halted(status: Status) -> str | None:
    if status.halt is None:
        return None
    until = status.halt.until
    ends = f", until {until:%Y-%m-%d %H:%M} UTC" if until else ""
    return f"{status.halt.reason}{ends}"


def _firing(status: Status) -> list[Line]:
    urgency = list(Severity)
    firing = [
        one
        for one in status.alerts
        if one.phase is Phase.FIRING and one.severity is not Severity.INFO
    ]
    silenced = {
        one.fingerprint
        for one in firing
        if any(silence.covers(one.labels) for silence in status.silences)
    }
    return [
        Line(
            one.name,
            "bad" if one.severity is Severity.PAGE else "warn",
            one.severity.value,
            one.annotations.get("summary", ""),
            ago(one.starts_at, status.at),
            [
                ("more", one.annotations.get("description", "")),
                ("runbook", RUNBOOK_LINK.format(runbook(one.name))),
                *([("silenced", "nobody is told")] if one.fingerprint in silenced else []),
            ],
        )
        for one in sorted(firing, key=lambda one: (urgency.index(one.severity), one.name))
    ]


def _told(one: Told, now: datetime) -> Line:
    change = one.change
    reached = [f"{d.notifier}: {d.state.value}" for d in one.deliveries]
    text = change.silence or ", ".join(reached) or "nobody is to be told"
    where = change.labels.get("group") or change.labels.get("engine") or ""
    return Line(
        f"{change.name} {where}".strip(),
        "bad" if change.firing else "good",
        "fires" if change.firing else "is over",
        text,
        ago(change.at, now),
    )


def _part(standing: Standing, now: datetime) -> Line:
    name = standing.part.name or standing.part.kind.value
    return Line(
        name,
        PART_TONES[standing.state],
        standing.state.value,
        standing.reason or "not looked at yet",
        f"for {ago(standing.since, now).removesuffix(' ago')}",
        [*_capacity(standing.facts), *((step.proves, step.found) for step in standing.evidence)],
    )


def _swap(swap: Swap, now: datetime) -> Line:
    one = swap.rollout
    ended = "good" if one.state in (RolloutState.ACCEPTED, RolloutState.RESTORED) else "none"
    to_do = swap.to_do if not swap.under_way else ""
    return Line(
        one.container,
        "bad" if swap.trouble else "warn" if swap.under_way else ended,
        one.state,
        swap.trouble or f"the engine of {one.engine}",
        ago(one.changed_at, now),
        [("rollout", one.id), *([("next", to_do)] if to_do else [])],
    )


def _patch(patch: Patch, now: datetime) -> Line:
    look = patch.look
    return Line(
        look.target.rpartition("/")[2],
        "warn" if patch.trouble else "good",
        "may be obsolete" if patch.trouble else "fits",
        patch.trouble or f"over {look.container}",
        f"compared {ago(look.at, now)}",
        [("mounted", look.source), ("over", f"{look.container}: {look.target}")],
    )


def _capacity(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Say what an engine can hold; nothing of another part, or where nobody knows.

    Shape:
        {"seen": {"names": [str]|null, "max_model_len": {NAME: int}, "kv_cache_tokens": int|null}}
    """
    seen = facts.get("seen")
    if not isinstance(seen, Mapping):
        return []
    lengths = seen.get("max_model_len") or {}
    tokens = seen.get("kv_cache_tokens")
    found = [(f"context of {name}", f"{length:,} tokens") for name, length in lengths.items()]
    if tokens is not None:
        found.append(("KV cache", f"{tokens:,} tokens"))
    if seen.get("version"):
        found.append(("version", str(seen["version"])))
    return found


def _spent(status: Status) -> list[Line]:
    limit = status.condition.budget_usd
    of = "" if limit is None else f" of {limit:.2f}"
    total = sum(used.cost_usd for used in status.used_today.values())
    lines = [Line("all providers", "none", f"{total:.2f}{of} USD today")]
    lines += [
        Line(
            name,
            "none",
            f"{used.cost_usd:.2f} USD",
            f"{used.requests} requests, {used.tokens} tokens",
        )
        for name, used in status.used_today.items()
    ]
    return lines


def _used(name: str, used: Used) -> Line:
    counted = f"{used.requests} requests, {used.tokens} tokens"
    return Line(name, "none", f"{used.cost_usd:.2f} USD", counted)
