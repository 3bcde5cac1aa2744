"""Users who are served by a fallback now, by the gateway's own metrics; drills are subtracted."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from supervisor.alerts.rule import AlertRule, Condition
from supervisor.probes.kinds.gateway import PART
from supervisor.probes.probe import PartKind
from supervisor.status import PROVEN, Status
from supervisor.store.alerts.records import Severity

NAME = "RunningOnFallback"
FORGETFUL_FOR = timedelta(minutes=10)
WITH_TOOLS = frozenset(
    {"tool_call", "tool_call_required", "parallel_tool_calls", "tool_result", "agent"}
)


def _running(status: Status) -> Iterator[Condition]:
    yield from _by_engine(status)
    standing = status.condition.parts.get(PART)
    seen = standing.facts.get("on_fallback", ()) if standing is not None else ()
    for one in seen:
        yield _of(status, one)
    if standing is not None and status.at - status.condition.started_at < FORGETFUL_FOR:
        # A daemon that has just started has no look to compare with: what fired goes on.
        known = {one["group"] for one in seen}
        for state in status.alerts:
            if state.name == NAME and state.labels["group"] not in known:
                yield Condition(labels={"group": state.labels["group"]}, holds=False)


def _by_engine(status: Status) -> Iterator[Condition]:
    """Tell by what engines serve, where the gateway has no metrics to tell by."""
    gateway = status.condition.parts.get(PART)
    if gateway is None or gateway.facts.get("metrics") or not status.condition.only_fallbacks:
        return
    for part, standing in status.condition.parts.items():
        traffic = standing.facts.get("traffic") if part.kind is PartKind.ENGINE else None
        if not traffic:
            continue
        since = datetime.fromisoformat(traffic["since"])
        groups = sorted({path.group for path in status.ledger if path.hop == part.name})
        yield Condition(
            labels={"group": part.name},
            since=since,
            summary=f"the engine of {part.name!r} serves users since {since:%Y-%m-%d %H:%M} UTC, "
            "which only fallbacks do",
            description=f"{traffic['count']} requests that no drill has sent. Which of "
            f"{', '.join(groups) or 'its groups'} has fallen back, and why, only LiteLLM's "
            "metrics tell: litellm_settings: {callbacks: [prometheus]}",
            more={"hop": part.name},
        )


def _of(status: Status, one: dict[str, Any]) -> Condition:
    group, hop = one["group"], one["hop"]
    since = datetime.fromisoformat(one["since"])
    why = f"{one['exception']}, status {one['status']}" if one["exception"] else "not said"
    lines = [
        f"{one['count']} requests were served by {hop!r} since then; the gateway's reason: {why}.",
        _proven(status, group, hop),
    ]
    if one["exhausted"]:
        lines.insert(1, f"{one['exhausted']} of the fallbacks failed as well.")
    return Condition(
        labels={"group": group},
        since=since,
        summary=f"users of {group!r} are served by {hop!r} since {since:%Y-%m-%d %H:%M} UTC: {why}",
        description="\n".join(lines),
        more={"hop": hop, "exception": one["exception"]},
    )


def _proven(status: Status, group: str, hop: str) -> str:
    """Say when this fallback was last proven with tool calls."""
    records = [
        record
        for path, record in status.ledger.items()
        if (path.group, path.hop) == (group, hop) and path.shape.partition(".")[0] in WITH_TOOLS
    ]
    if not records:
        return f"{hop!r} is not rehearsed with tool calls as its fallback."
    broken = sum(record.state not in PROVEN for record in records)
    passed = max((one.passed_at for one in records if one.passed_at is not None), default=None)
    if passed is None:
        return f"{hop!r} was never proven with tool calls as its fallback."
    but = f"; {broken} of {len(records)} such paths are not proven now" if broken else ""
    return f"{hop!r} was last proven with tool calls at {passed:%Y-%m-%d %H:%M:%S} UTC{but}."


def _not_looked_at(status: Status) -> bool:
    standing = status.condition.parts.get(PART)
    if standing is None:
        return not status.condition.parts_known  # Else nobody watches it, and nothing is found.
    return standing.at is None or "on_fallback" not in standing.facts


RULES = (AlertRule(NAME, Severity.TICKET, _running, unjudged=_not_looked_at),)
