"""Draw what an upgrade of LiteLLM changes, for people and for the page of a CI job."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from chaos.naming import some_of
from supervisor.campaign.upgrade import Change, Upgrade, What, alike, in_words
from supervisor.reporting.markdown import escaped

STYLES = {
    What.WORSE: "bold red",
    What.OTHERWISE: "yellow",
    What.UNTOLD: "cyan",
    What.BETTER: "green",
}


def draw(upgrade: Upgrade) -> RenderableType:
    """Draw the changes by kind, and the sentence of it."""
    parts: list[RenderableType] = []
    if upgrade.changes:
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        for name in ("", "what changes", "drills", "groups", "why"):
            table.add_column(name, overflow="fold")
        for what, words, changes in _lines(upgrade):
            table.add_row(
                Text(what.value, STYLES[what]),
                Text(words),
                str(len(changes)),
                Text(_groups(changes)),
                Text(_why(changes[0])),
            )
        parts += [table, Text()]
    parts += [Text(line) for line in _notes(upgrade)]
    parts.append(Text(in_words(upgrade), "bold red" if upgrade.of(What.WORSE) else "bold"))
    return Group(*parts)


def upgrade_markdown(upgrade: Upgrade) -> str:
    """Write it as a section with a heading, and a table of what changes."""
    lines = [f"### Understudy: LiteLLM {escaped(upgrade.before)} to {escaped(upgrade.after)}", ""]
    lines.append(escaped(in_words(upgrade)))
    if upgrade.changes:
        lines += [
            "",
            "| | what changes | drills | groups | why |",
            "| --- | --- | ---: | --- | --- |",
        ]
        for what, words, changes in _lines(upgrade):
            cells = (what.value, words, str(len(changes)), _groups(changes), _why(changes[0]))
            lines.append(f"| {' | '.join(map(escaped, cells))} |")
    notes = list(_notes(upgrade))
    return "\n".join([*lines, *(["", *map(escaped, notes)] if notes else [])]) + "\n"


def _lines(upgrade: Upgrade) -> Iterator[tuple[What, str, tuple[Change, ...]]]:
    for what in What:
        for words, changes in alike(upgrade.of(what)):
            yield what, words, changes


def _notes(upgrade: Upgrade) -> Iterator[str]:
    if upgrade.unsteady:
        yield (
            f"{len(upgrade.unsteady)} came out otherwise once, and then not: a model or a machine "
            f"that varies, so nothing is told of them ({some_of(upgrade.unsteady)})."
        )
    if upgrade.gone:
        yield f"{len(upgrade.gone)} only one of the two has ({some_of(upgrade.gone)})."
    if upgrade.unproven:
        yield (
            f"{len(upgrade.unproven)} prove nothing on either version "
            f"({some_of(upgrade.unproven)}): can the engines be reached?"
        )
    if upgrade.stopped:
        yield "It was stopped; what had not been drilled is missing."


def _groups(changes: tuple[Change, ...]) -> str:
    return some_of(one.before.scenario.group for one in changes)


def _why(change: Change) -> str:
    """Say what the newer version was seen to do; nothing where it passes."""
    row = change.after
    deciding = (one for one in row.findings if row.kind is not None and one.kind is row.kind)
    return next((one.message for one in deciding), "")
