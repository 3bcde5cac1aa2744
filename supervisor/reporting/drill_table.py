"""Draw a drill report for people: a table, then each cause of failure as the wire saw it.

Every path and cause of a drill that did not pass is in the table. Where there are many drills,
those of one path that passed, or did not for one cause, are one line. ``why`` has a column only
where the terminal has room for a sentence, else a line of its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from chaos.drill.report import DrillReport, DrillRow, took_s
from chaos.gateway.wildcards import in_words
from chaos.judge.verdict import Outcome
from chaos.naming import all_or_count
from chaos.process.terminal import printable
from chaos.scenario.expectation import Expected
from supervisor.reporting.drill_details import cause, details, shown, why
from supervisor.reporting.spelling import spelled

FOLD_OVER = 60
"""Longer tables show the drills of one path that came out alike as one line."""

MOST_ALIKE = 8
"""Drills of one path and cause that have lines of their own in a shorter table."""


INSTEAD = "instead: that hop's dialect has no such fault."

LEAST_WHY = 50
"""Columns that a sentence needs; with fewer it gets a line of its own."""

HEADER = ("path", "fault", "shape", "verdict", "kind", "s")
YIELDING = ("fault", "path", "shape", "kind")
"""What gives way in a narrow terminal, in this order, but never within a word ..."""

BREAKING = ("shape", "path", "kind", "fault")
"""... as long as the terminal is wide enough for the words; else in this order."""

LONGEST_WORD, SHORTEST, LEAST = 24, 12, 6


def draw(report: DrillReport) -> RenderableType:
    """Draw the whole report."""
    header = [Text(line, "dim") for line in wildcards(report)]
    return Group(*header, table(report.drills), *details(report.drills), Text(), _summary(report))


def wildcards(report: DrillReport) -> list[str]:
    """Say which model was drilled for which wildcard."""
    hops = {hop for row in report.drills for hop in row.scenario.chain}
    standing = {wildcard.pattern: wildcard.group for wildcard in report.gateway.wildcards}
    return list(in_words(standing, hops))


def table(rows: Sequence[DrillRow]) -> "DrillTable":
    """One line a drill: path, fault, shape, verdict, kind, why, seconds."""
    return DrillTable(tuple(lines_of(rows)))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table.

    Attributes:
        cells: As in ``HEADER``.
        why: In one sentence, of many the first's; empty for lines of many passed drills.
        cause: The same for lines whose sentence need not be repeated; empty for a pass.
    """

    cells: tuple[Text, ...]
    why: str = ""
    cause: tuple[str, ...] = ()

    def spelled(self, encoding: str) -> "Line":
        """Write it with signs that *encoding* has, so that its width is known."""
        cells = tuple(spelled(cell, encoding) for cell in self.cells)
        return Line(cells, spelled(self.why, encoding), self.cause)


@dataclass(frozen=True, slots=True)
class DrillTable:
    """The table; draws itself as wide as the terminal allows."""

    lines: tuple[Line, ...]

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[RenderableType]:
        lines = tuple(line.spelled(options.encoding) for line in self.lines)
        yield from DrillTable(lines).drawn(options.max_width)

    def drawn(self, width: int) -> Iterator[RenderableType]:
        """Draw it in so many columns."""
        columns = {
            name: [name, *(line.cells[i].plain for line in self.lines)]
            for i, name in enumerate(HEADER)
        }
        natural = {name: max(map(cell_len, texts)) for name, texts in columns.items()}
        room = width - sum(natural.values()) - 2 * len(natural)
        if room >= LEAST_WHY:
            # No wider than the longest, or the seconds of a file would be far away.
            longest = max((cell_len(line.why) for line in self.lines), default=0)
            yield self._with_why(natural, min(room, max(longest, LEAST_WHY)))
            return
        gap = 2 if room > 0 else 1
        room_for_columns = width - gap * (len(natural) - 1)
        words = {
            name: max(cell_len(word) for text in columns[name] for word in text.split() or [""])
            for name in YIELDING
        }
        widths = _narrowed(natural, words, room_for_columns)
        yield from self._with_why_below(widths, gap)

    def _with_why(self, widths: Mapping[str, int], room: int) -> Table:
        drawn = _grid({**_without_seconds(widths), "why": room, "s": widths["s"]})
        drawn.add_row(*(Text(name, "bold") for name in (*HEADER[:-1], "why", HEADER[-1])))
        told: tuple[str, ...] = ()
        for line in self.lines:
            again = line.cause and line.cause == told
            sentence = Text("(as above)", "dim") if again else Text(line.why)
            told = line.cause or told
            drawn.add_row(*line.cells[:-1], sentence, line.cells[-1])
        return drawn

    def _with_why_below(self, widths: Mapping[str, int], gap: int) -> Iterator[RenderableType]:
        drawn = _grid(widths, gap=gap)
        drawn.add_row(*(Text(name, "bold") for name in HEADER))
        told: tuple[str, ...] = ()
        for line in self.lines:
            drawn.add_row(*line.cells)
            if line.cause in ((), told):
                continue
            yield drawn
            told = line.cause
            yield Padding(Text(line.why), (0, 0, 0, 4), expand=False)
            drawn = _grid(widths, gap=gap)
        if drawn.rows:
            yield drawn


def lines_of(rows: Sequence[DrillRow]) -> Iterator[Line]:
    """Turn drills into lines; many of one path that came out alike into one."""
    alike: dict[tuple[str, ...], list[DrillRow]] = {}
    for row in rows:
        alike.setdefault(_fate(row), []).append(row)
    folded: set[tuple[str, ...]] = set()
    for row in rows:
        fate = _fate(row)
        others = alike[fate]
        if not _folds(others, of=len(rows)):
            yield _line(row)
        elif fate not in folded:
            folded.add(fate)
            yield _fold(others)


def _fate(row: DrillRow) -> tuple[str, ...]:
    """Tell what drills share that may be one line."""
    return (path(row), *(() if row.outcome is Outcome.PASSED else cause(row)))


def _folds(alike: Sequence[DrillRow], *, of: int) -> bool:
    if alike[0].outcome is Outcome.PASSED:
        return of > FOLD_OVER
    return len(alike) > (1 if of > FOLD_OVER else MOST_ALIKE)


def _line(row: DrillRow) -> Line:
    seconds = took_s(row)
    word, style = shown(row)
    cells = (
        path(row),
        fault(row),
        shape(row),
        Text(word, style),
        row.kind.value if row.kind else "",
        "" if seconds is None else f"{seconds:.2f}",
    )
    passed = row.outcome is Outcome.PASSED
    return Line(_texts(cells), why(row), () if passed else (row.scenario.group, *cause(row)))


def _fold(rows: Sequence[DrillRow]) -> Line:
    first = rows[0]
    slowest = max((took_s(row) or 0.0 for row in rows), default=0.0)
    word, style = shown(first)
    cells = (
        path(first),
        all_or_count(map(fault, rows), "faults"),
        all_or_count(map(shape, rows), "kinds"),
        Text(f"{len(rows)} {word}", style),
        first.kind.value if first.kind else "",
        f"≤{slowest:.2f}",
    )
    if first.outcome is Outcome.PASSED:
        return Line(_texts(cells))
    return Line(_texts(cells), why(first), (first.scenario.group, *cause(first)))


def path(row: DrillRow) -> str:
    """Write the chain as far as the drill walks it; failing hops are marked.

    Where the settings expect no answer, that stands in the place of the hop that would give it.
    """
    scenario = row.scenario
    failing = [f"✗{group}" for group in scenario.chain[: scenario.depth]]
    if row.expected is not Expected.SERVED:
        return " → ".join([*failing, row.expected.value])
    return " → ".join([*failing, *([scenario.expected_hop] if scenario.expected_hop else [])])


def fault(row: DrillRow) -> str:
    """Name the fault, and the hops that got another one instead."""
    asked = row.scenario.fault
    others = substituted(row)
    if not others:
        return asked
    played = dict.fromkeys(others.values())
    said = (
        f"{', '.join(hop for hop, name in others.items() if name == one)}: {one} instead"
        for one in played
    )
    return f"{asked} ({'; '.join(said)})"


def substituted(row: DrillRow) -> dict[str, str]:
    """Name the hops whose dialect lacks the fault that was asked for, and what they got."""
    asked = row.scenario.fault
    return {hop: played for hop, played in row.scenario.faults.items() if played != asked}


def shape(row: DrillRow) -> str:
    """Name the shape, as whom, the surface where it is not the usual one, and if it streamed."""
    parts = [row.scenario.shape]
    client = row.scenario.client
    if client is not None and not row.scenario.shape.endswith(f".{client}"):
        parts.append(f"as {client}")
    if row.scenario.surface not in ("chat_completions", "embeddings"):
        parts.append(row.scenario.surface)
    if row.scenario.stream:
        parts.append("streamed")
    return " ".join(parts)


def _texts(cells: Sequence[str | Text]) -> tuple[Text, ...]:
    return tuple(cell if isinstance(cell, Text) else Text(cell) for cell in cells)


def _grid(widths: Mapping[str, int], *, gap: int = 2) -> Table:
    drawn = Table.grid(padding=(0, gap, 0, 0))
    for name, width in widths.items():
        drawn.add_column(width=width, overflow="fold", justify="right" if name == "s" else "left")
    return drawn


def _without_seconds(widths: Mapping[str, int]) -> dict[str, int]:
    return {name: width for name, width in widths.items() if name != "s"}


def _narrowed(natural: Mapping[str, int], words: Mapping[str, int], width: int) -> dict[str, int]:
    widths = dict(natural)
    for least, order in ((LONGEST_WORD, YIELDING), (SHORTEST, BREAKING), (LEAST, BREAKING)):
        for name in order:
            excess = max(sum(widths.values()) - width, 0)
            enough = max(min(words[name], least), LEAST)
            widths[name] -= min(excess, max(widths[name] - enough, 0))
    return widths


def _summary(report: DrillReport) -> Text:
    counts = report.summary
    parts = [
        (counts.passed, "passed", "green"),
        (counts.failed, "failed", "bold red"),
        (counts.known_gaps, "known gap" if counts.known_gaps == 1 else "known gaps", "yellow"),
        (counts.inconclusive, "inconclusive", "yellow"),
        (counts.aborted, "aborted", "magenta"),
        (counts.not_started, "never started", "magenta"),
    ]
    text = Text()
    for count, word, style in parts:
        if count or word == "passed":
            text.append(f"{count} {word}", style=style if count else "")
            if word == "passed" and counts.routed:
                text.append(f" ({counts.routed} routed)", style="dim")
            text.append("  ")
    seed = "" if report.seed is None else f", seed {report.seed}"
    requests = "1 request" if counts.requests == 1 else f"{counts.requests} requests"
    text.append(
        f"{requests}, {counts.tokens} tokens, {counts.cost_usd:.2f} USD, "
        f"{counts.duration_s:.1f} s, LiteLLM {report.gateway.litellm_version}{seed}",
        style="dim",
    )
    if report.gateway.as_key is not None:
        text.append(f"\nDrilled as the key {printable(report.gateway.as_key)}.", "dim")
    for name, reason in report.gateway.closed.items():
        text.append(f"\nNot covered: {printable(name)}, because {printable(reason)}.", "dim")
    if report.gateway.stripped:
        text.append(f"\nThe twin was started without: {', '.join(report.gateway.stripped)}.", "dim")
    if any(substituted(row) for row in report.drills):
        text.append(f"\n{INSTEAD}", "dim")
    if counts.routed:
        text.append(
            "\nrouted: a stand-in answered for the hop that costs money. That it would be tried is "
            "proven, that it answers is not (--real-keys; --require-real does not pass it).",
            style="dim",
        )
    return text
