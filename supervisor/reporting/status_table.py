"""Draw the daemon's status for people: can it do its job, what is proven, what was refused."""

from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from supervisor.age import ago
from supervisor.audit.report import sentence
from supervisor.probes.kinds.heartbeat import PulseStatus
from supervisor.probes.probe import PartKind, State
from supervisor.reporting.coverage_table import STYLES, summary
from supervisor.web.answers.installed import SwapAnswer
from supervisor.web.answers.parts import HeartbeatAnswer, StandingAnswer
from supervisor.web.answers.status import StatusAnswer

MOST_CHANGES = 5
MOST_FINDINGS = 5

SHOWN_APART = (PartKind.GATEWAY, PartKind.HEARTBEAT)
PART_STYLES = {
    State.DOWN: "bold red",
    State.HUNG: "bold red",
    State.DRIFTED: "red",
    State.UNKNOWN: "yellow",
    State.BUSY: "green",
    State.SLOW: "yellow",
    State.UP: "green",
}
BEAT_STYLES = {
    PulseStatus.NEW: "dim",
    PulseStatus.ON_TIME: "green",
    PulseStatus.LATE: "yellow",
    PulseStatus.MISSED: "bold red",
}


def draw(status: StatusAnswer) -> RenderableType:
    """Draw everything but the single paths."""
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _rows(status):
        table.add_row(name, value)
    return Group(table, *_changes(status))


def _rows(status: StatusAnswer) -> list[tuple[str, Text]]:
    now = status.at
    version = f", LiteLLM {status.litellm_version}" if status.litellm_version else ""
    rows = [("gateway", Text(f"{status.gateway or 'none'}{version}"))]
    rows += [_part(one, now) for one in status.parts if one.part is PartKind.GATEWAY]
    if status.version:
        started = ago(status.started_at, now)
        rows.append(("daemon", Text(f"{status.daemon} {status.version}, started {started}")))
    rows.append(("store", Text(status.store)))
    rows += [
        (f"alert {one.severity}", Text(one.annotations.get("summary", one.alertname), "bold red"))
        for one in status.alerts
        if one.phase == "firing" and one.severity != "info"
    ]
    rows += [("problem", Text(problem, "bold red")) for problem in status.problems]
    if status.reload_refused:
        rows.append(("reload refused", Text(status.reload_refused, "red")))
    if status.halt is not None:
        until = f" until {status.halt.until:%Y-%m-%d %H:%M %Z}" if status.halt.until else ""
        whose = f" ({status.halt.daemon} only)" if status.halt.daemon else ""
        since = ago(status.halt.since, now)
        words = f"since {since}{until}{whose}: {status.halt.reason}"
        rows.append(("halted", Text(words, "bold yellow")))
    if status.closed is not None:
        rows.append(("closed", Text(status.closed, "yellow")))
    if status.running is not None:
        rows.append(("drilling", Text(status.running.scenario)))
    rows.append(("paths", summary(status.states, status.coverage_ratio)))
    today = ", ".join(f"{count} {outcome}" for outcome, count in status.drills_today.items())
    rows.append(("drills today", Text(today or "none")))
    rows += [_part(one, now) for one in status.parts if one.part not in SHOWN_APART]
    rows += [_swap(one, now) for one in status.swaps]
    rows += [
        (f"patch {one.container}", Text(f"{one.target}: {one.trouble}", "yellow"))
        for one in status.patches
        if one.trouble
    ]
    rows += [_heartbeat(one, now) for one in status.heartbeats]
    rows += [
        ("refused today", Text(f"{one.kind} {one.count} times: {one.reason}"))
        for one in status.refused_today
    ]
    rows += [
        (
            "used today",
            Text(
                f"{one.provider}: {one.requests} requests, {one.tokens} tokens, "
                f"{one.cost_usd:.2f} USD"
            ),
        )
        for one in status.used_today
    ]
    serious = [f for f in status.findings if f.severity != "info"]
    rows += [(f"audit {one.severity}", Text(sentence(one))) for one in serious[:MOST_FINDINGS]]
    if len(serious) > MOST_FINDINGS:
        more = f"{len(serious) - MOST_FINDINGS} more: understudy audit"
        rows.append(("audit", Text(more)))
    where = f"{status.next.path}, " if status.next.path else ""
    rows.append(("next", Text(f"{where}{status.next.reason}")))
    rows += [
        ("also", Text(f"{one.name} at {one.gateway}, seen {ago(one.seen_at, now)}"))
        for one in status.daemons
        if one.name != status.daemon
    ]
    return rows


def _part(one: StandingAnswer, now: datetime) -> tuple[str, Text]:
    label = f"{one.part} {one.name}".strip()
    since = "" if one.at is None else f", for {ago(one.since, now).removesuffix(' ago')}"
    why = f": {one.reason}" if one.reason else ": not looked at yet"
    text = Text(f"{one.state}{since}{why}", PART_STYLES[one.state])
    if one.seen_reason and one.seen is not one.state:
        text.append(f" (last look: {one.seen}, {one.seen_reason})")
    return label, text


def _swap(one: SwapAnswer, now: datetime) -> tuple[str, Text]:
    text = Text(f"{one.state} {ago(one.changed_at, now)}", "bold red" if one.trouble else "")
    if one.trouble:
        text.append(f": {one.trouble}")
    if one.to_do and not one.under_way:
        text.append(f"; next: {one.to_do}", "")
    return f"swap {one.container}", text


def _heartbeat(one: HeartbeatAnswer, now: datetime) -> tuple[str, Text]:
    last = "never seen" if one.last_at is None else f"last seen {ago(one.last_at, now)}"
    missed = f", {one.missed} missed" if one.missed else ""
    style = BEAT_STYLES[one.status]
    return f"heartbeat {one.name}", Text(f"{one.status.replace('_', ' ')}, {last}{missed}", style)


def _changes(status: StatusAnswer) -> list[RenderableType]:
    if not status.changes:
        return []
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in ("changed", "path", "state", "drill"):
        # The drill's id is copied.
        table.add_column(name, overflow="fold", no_wrap=name == "drill")
    for change in status.changes[:MOST_CHANGES]:
        table.add_row(
            ago(change.at, status.at),
            Text(change.path),
            Text(change.state.value, STYLES[change.state]),
            change.drill or "",
        )
    return [Text(), table]
