"""What people copy from the screen stays one line, however narrow the terminal is.

The terminal breaks it where it has to, and copies it whole. ``console.show`` prints it so.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.table import Table
from rich.text import Text

GAP = 2
LEAST_PROSE = 24
"""Columns below which prose in a table is a tower of words."""

_WORD = re.compile(r"\S+\s*")
_SENTENCE = re.compile(r"[A-Z][a-z]*[ ,:]")


def unbroken(text: str | Text, columns: int = 0) -> Text:
    """Indent *text*, and let nothing but its own line ends break it."""
    drawn = Text.assemble(" " * columns, text) if columns else Text.assemble(text)
    drawn.no_wrap, drawn.overflow = True, "ignore"
    return drawn


def drawn_remedy(text: str, columns: int = 2) -> Text:
    """Draw a remedy, indented by *columns*: sentences after an arrow, under them what to copy.

    What follows the first line is to be copied, but for what begins as a sentence does.
    """
    drawn = Text()
    for number, line in enumerate(text.splitlines() or [""]):
        drawn.append("\n" if number else "")
        if number and not _SENTENCE.match(line):
            drawn.append(f"{' ' * (columns + 4)}{line}", style="green")
        else:
            drawn.append_text(Text.assemble(" " * columns, ("→ ", "bold"), line))
    return unbroken(drawn)


class Labelled:
    """Sentences beside a label, broken between words; a longer word than fits sticks out."""

    def __init__(self, label: Text, text: str | Text) -> None:
        self._label = label
        self._text = Text.assemble(text)

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> Iterator[Text]:
        width = self._label.cell_len
        lines = (part for line in self._text.split("\n") for part in _wrapped(line, options, width))
        for number, line in enumerate(lines):
            line.rstrip()
            yield unbroken(Text.assemble(self._label if not number else " " * width, line))


def _wrapped(line: Text, options: ConsoleOptions, taken: int) -> Iterable[Text]:
    """Break a line between words; rich itself breaks words too, or nothing."""
    room = options.max_width - taken
    breaks: list[int] = []
    used = 0
    for found in _WORD.finditer(line.plain):
        if used and used + cell_len(found[0].rstrip()) > room:
            breaks.append(found.start())
            used = 0
        used += cell_len(found[0])
    return line.divide(breaks)


class Rows:
    """A table that breaks nothing but prose; too narrow for it, each row is a list of its cells.

    Args:
        columns: Their names; all empty: no header.
        prose: Those whose cells are sentences, which may be broken between words.
        right: Those whose cells end at the right.
    """

    def __init__(
        self, *columns: str, prose: Collection[str] = (), right: Collection[str] = ()
    ) -> None:
        self._columns = columns
        self._prose = prose
        self._right = right
        self._rows: list[Sequence[Text]] = []

    def add_row(self, *cells: str | Text) -> None:
        """Add a row; a cell for each column."""
        self._rows.append([Text(one) if isinstance(one, str) else one for one in cells])

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        if self._least() <= options.max_width:
            yield self._table()
            return
        width = max(map(len, self._columns[1:]), default=0)
        for first, *others in self._rows:
            yield unbroken(first)
            for name, cell in zip(self._columns[1:], others, strict=True):
                label = Text(f"{'':{GAP}}{name:{width}}{'':{GAP if width else 0}}", style="dim")
                if name in self._prose:
                    yield Labelled(label, cell)
                elif cell.plain:
                    yield unbroken(Text.assemble(label, cell))

    def _table(self) -> Table:
        table = Table(
            box=None,
            pad_edge=False,
            show_header=any(self._columns),
            header_style="bold",
            padding=(0, GAP, 0, 0),
        )
        for name in self._columns:
            right = name in self._right
            table.add_column(
                name, justify="right" if right else "left", no_wrap=name not in self._prose
            )
        for row in self._rows:
            table.add_row(*row)
        return table

    def _least(self) -> int:
        """Count the columns that the table needs, if nothing but prose is broken."""
        needed = 0
        for number, name in enumerate(self._columns):
            cells = [Text(name), *(row[number] for row in self._rows)]
            if name in self._prose:
                whole = max(cell.cell_len for cell in cells)
                word = max(Text(word).cell_len for c in cells for word in c.plain.split() or [""])
                needed += max(word, min(whole, LEAST_PROSE)) + GAP
            else:
                needed += max(cell.cell_len for cell in cells) + GAP
        return needed - GAP
