"""Parts that are down, hang, have changed, or fell silent."""

from collections.abc import Callable, Iterator

from supervisor.alerts.rule import AlertRule, Condition
from supervisor.installed import changed_by_swap
from supervisor.probes.kinds.heartbeat import PulseStatus
from supervisor.probes.probe import Part, PartKind, State
from supervisor.probes.standing import DEAD, Standing
from supervisor.status import Status
from supervisor.store.alerts.records import Severity

REMEDIES = {
    State.DOWN: "Start it, or look into its log.",
    State.HUNG: "It takes requests and makes no progress: look at it twice, then restart it.",
    State.DRIFTED: "If that is meant, its paths are drilled anew, and it is accepted once all "
    "have passed. Else start it as it was.",
}


def _gateway_down(status: Status) -> Iterator[Condition]:
    for part, standing in status.condition.parts.items():
        if part.kind is PartKind.GATEWAY:
            yield from _one(
                standing, standing.state in DEAD, f"the gateway is {standing.state}", {}
            )


def _engine(states: frozenset[State], words: str) -> Callable[[Status], Iterator[Condition]]:
    def find(status: Status) -> Iterator[Condition]:
        for group, standing in _engines(status):
            summary = f"the engine of {group!r} {words}"
            meant = standing.state is State.DRIFTED and changed_by_swap(
                status, group, standing.since
            )
            bad = standing.state in states and not meant
            yield from _one(standing, bad, summary, {"engine": group})

    return find


def _engines(status: Status) -> Iterator[tuple[str, Standing]]:
    """Say for each engine which of its parts is worse off: itself, or its container."""
    parts = status.condition.parts
    names = dict.fromkeys(
        part.name for part in parts if part.kind in (PartKind.ENGINE, PartKind.CONTAINER)
    )
    for name in names:
        engine = parts.get(Part(PartKind.ENGINE, name))
        container = parts.get(Part(PartKind.CONTAINER, name))
        known = [one for one in (engine, container) if one is not None]
        if engine is not None and container is not None:
            # What answers is there, whatever Docker says of the container that is named.
            dead_container = container.state in DEAD and engine.state not in DEAD
            known = [engine] if dead_container else known
        yield name, min(known, key=lambda one: _WORST.index(one.state))


_WORST = tuple(State)


def _one(
    standing: Standing, bad: bool, summary: str, labels: dict[str, str]
) -> Iterator[Condition]:
    if standing.at is None:
        yield Condition(labels=labels, holds=False)  # Not looked at since the daemon was started.
    elif bad:
        yield Condition(
            labels=labels,
            since=standing.since,
            summary=f"{summary}: {standing.reason}",
            description="\n".join(
                [
                    standing.reason,
                    *(f"{step.name}: {step.found}" for step in standing.evidence),
                    REMEDIES.get(standing.state, ""),
                ]
            ).strip(),
            more={"state": standing.state.value},
        )


def _heartbeat_missed(status: Status) -> Iterator[Condition]:
    for one in status.heartbeats:
        if status.at - status.condition.started_at < one.expected.grace:
            # While the daemon was down nobody could send one: what fired stays as it is.
            yield Condition(labels={"name": one.expected.name}, holds=False)
        elif one.pulse.status is PulseStatus.MISSED:
            name, missed = one.expected.name, one.pulse.missed
            last = "ever" if one.beats.last_at is None else f"since {one.beats.last_at:%F %T} UTC"
            yield Condition(
                labels={"name": name},
                since=one.pulse.due_at,
                summary=f"no sign of life of {name!r} {last}, {missed} missed",
                description=f"It was due at {one.pulse.due_at:%F %T} UTC. Look at the job that "
                "sends it, and at whether it reaches this daemon.",
            )


def _parts_unknown(status: Status) -> bool:
    return not status.condition.parts_known


def _engines_unknown(status: Status) -> bool:
    return not status.condition.engines_known


def _engine_rule(name: str, severity: Severity, state: State, words: str) -> AlertRule:
    return AlertRule(name, severity, _engine(frozenset({state}), words), unjudged=_engines_unknown)


RULES = (
    AlertRule("GatewayDown", Severity.PAGE, _gateway_down, unjudged=_parts_unknown),
    _engine_rule("EngineDown", Severity.PAGE, State.DOWN, "is down"),
    _engine_rule("EngineHung", Severity.PAGE, State.HUNG, "hangs"),
    _engine_rule("EngineDrifted", Severity.TICKET, State.DRIFTED, "has changed"),
    AlertRule("HeartbeatMissed", Severity.TICKET, _heartbeat_missed, unjudged=_parts_unknown),
)
