"""Draw alerts for people: what fires, what was told, and whether it arrived."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from supervisor.web.answers.alerts import (
    AlertAnswer,
    AlertsAnswer,
    DeliveryAnswer,
    NotifierAnswer,
    ToldAnswer,
)

MOST_TOLD = 10
STYLES = {"page": "bold red", "ticket": "yellow", "info": "dim"}
STATES = {"taken": "green", "waiting": "yellow", "dead": "bold red"}


def draw(known: AlertsAnswer) -> RenderableType:
    """Draw everything that is known of alerts."""
    parts: list[RenderableType] = [_firing(known)]
    if known.silences:
        table = _table("silence", "matches", "until", "reason")
        for one in known.silences:
            matches = ", ".join(f"{label}={pattern}" for label, pattern in one.matchers.items())
            table.add_row(str(one.number), matches, f"{one.until:%Y-%m-%d %H:%M %Z}", one.reason)
        parts += [Text(), table]
    if known.notifiers:
        table = _table("notifier", "last result", "waiting", "given up", "last taken")
        for notifier in known.notifiers:
            table.add_row(*_notifier(notifier))
        parts += [Text(), table]
    else:
        parts += [Text(), Text("Nobody is told: name one below notifiers in the configuration.")]
    told = [one for one in known.told if one.reason != "repeat"][:MOST_TOLD]
    if told:
        table = _table("told at (UTC)", "alert", "", "to")
        for change in told:
            table.add_row(*_told(change))
        parts += [Text(), table]
    return Group(*parts)


def draw_deliveries(told: ToldAnswer) -> RenderableType:
    """Draw what became of one alert at each notifier."""
    if told.silence is not None:
        return Text(f"Nobody was told, because of a silence: {told.silence}", "bold red")
    table = _table("notifier", "state", "after", "tries", "detail")
    for one in told.deliveries:
        after = "" if one.took_s is None else f"{one.took_s:.2f} s"
        table.add_row(
            one.notifier, Text(one.state, STATES[one.state]), after, str(one.tries), _detail(one)
        )
    return table


def _firing(known: AlertsAnswer) -> RenderableType:
    shown = [one for one in known.alerts if one.alertname != "Watchdog"]
    if not shown:
        return Text("No alert fires.", "green")
    table = _table("alert", "since (UTC)", "what")
    for one in sorted(
        shown, key=lambda alert: (list(STYLES).index(alert.severity), alert.starts_at)
    ):
        table.add_row(_name(one), f"{one.starts_at:%Y-%m-%d %H:%M:%S}", _what(one))
    return table


def _name(one: AlertAnswer) -> Text:
    phase = "" if one.phase == "firing" else f" ({one.phase})"
    return Text(f"{one.alertname}{phase}", STYLES[one.severity])


def _what(one: AlertAnswer) -> Text:
    text = Text(one.annotations.get("summary", ""))
    if one.silence is not None:
        text.append(f" (silenced: {one.silence})", "dim")
    return text


def _notifier(one: NotifierAnswer) -> tuple[str, Text, str, str, str]:
    result = one.last_result or "never tried"
    style = "green" if result == "ok" else "dim" if one.last_result is None else "bold red"
    detail = f": {one.last_detail}" if one.last_detail else ""
    taken = "" if one.last_taken_at is None else f"{one.last_taken_at:%Y-%m-%d %H:%M:%S}"
    return one.name, Text(f"{result}{detail}", style), str(one.waiting), str(one.dead), taken


def _told(change: ToldAnswer) -> tuple[str, Text, Text, str]:
    state = "firing" if change.firing else "resolved"
    summary = change.annotations.get("summary", "")
    to = ", ".join(one.notifier for one in change.deliveries)
    if change.silence is not None:
        to = f"nobody: {change.silence}"
    return (
        f"{change.at:%Y-%m-%d %H:%M:%S}",
        Text(change.alertname, STYLES[change.severity] if change.firing else "green"),
        Text(f"{state}: {summary}"),
        to or "nobody",
    )


def _detail(one: DeliveryAnswer) -> str:
    if one.state == "taken":
        return ""
    return f"{one.result or 'not tried yet'}: {one.detail}".rstrip(": ")


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in names:
        table.add_column(name, overflow="fold")
    return table
