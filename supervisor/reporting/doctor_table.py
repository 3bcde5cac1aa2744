"""Draw a check-up for people: item by item, what is wrong with what to do under it."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from rich.console import Group, RenderableType
from rich.text import Text

from chaos.naming import MOST_NAMED
from supervisor.audit.folding import joined_remedies
from supervisor.doctor.items import Item
from supervisor.reporting.unbroken import Labelled, drawn_remedy

STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}
MOST_SHOWN = 12
"""Items of one kind that share a remedy; there may be dozens of engines."""
COLUMNS = 6


def draw(items: Iterable[Item]) -> RenderableType:
    """Draw every item; a remedy that several in a row share is written once."""
    found = list(items)
    runs = [list(run) for _, run in groupby(found, lambda item: (item.name, item.status))]
    parts = [part for run in runs for part in _run(run)]
    if any(len(run) > MOST_SHOWN for run in runs) or any(
        len(item.groups) > MOST_NAMED for item in found
    ):
        parts.append(Text("What is only counted here is listed by --format json.", style="dim"))
    return Group(*parts)


def _run(run: Sequence[Item]) -> Iterator[RenderableType]:
    remedies = joined_remedies((item.remedy or "" for item in run), MOST_SHOWN)
    if len(remedies) != 1 or not remedies[0]:
        for item in run:
            yield _line(item)
            if item.remedy:
                yield drawn_remedy(item.remedy, COLUMNS)
        return
    yield from map(_line, run[:MOST_SHOWN])
    if len(run) > MOST_SHOWN:
        yield Text(f"     and {len(run) - MOST_SHOWN} more")
    yield drawn_remedy(remedies[0], COLUMNS)


def _line(item: Item) -> RenderableType:
    return Labelled(Text(f"{item.status:5}", STYLES[item.status]), item.message)
