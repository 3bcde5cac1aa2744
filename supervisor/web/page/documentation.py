"""The documentation of this version, so that an alert's runbook is a link that works at night.

Its Markdown is packed with the program; in a clone it is read where it is. Links to files of the
repository that are not packed become plain text.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

PACKED = Path(__file__).parent / "docs"
CLONE = Path(__file__).parents[3] / "docs"
COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)
SCROLLED = {
    "<pre>": '<pre tabindex="0">',
    "<table>": '<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>',
    "</table>": "</table></div>",
}
"""What may be wider than a phone scrolls by itself, by keyboard too."""

FIRST = ("alerts.md", "verdicts.md", "daemon.md", "reference.md")
"""What people look up most; the others follow by name."""


@dataclass(frozen=True, slots=True)
class Document:
    """One page of it.

    Attributes:
        body: HTML; everything in it was escaped by the renderer.
    """

    title: str
    body: Markup


def contents() -> list[tuple[str, str]]:
    """List name and title of each document."""
    named = [(name, _title(text)) for name, text in _sources().items()]
    return sorted(named, key=lambda one: (one[0] not in FIRST, *_place(one[0])))


@cache
def document(name: str) -> Document | None:
    """Render a document; None if there is none of this name."""
    text = _sources().get(name)
    if text is None:
        return None
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(COMMENT.sub("", text))
    for heading, words in pairwise(tokens):
        if heading.type == "heading_open":
            heading.attrSet("id", slug(words.content))
    for token in tokens:
        token.children = list(_without_dead_ends(token.children or ()))
    body = markdown.renderer.render(tokens, markdown.options, {})
    for made, wanted in SCROLLED.items():
        body = body.replace(made, wanted)
    return Document(_title(text), Markup(body))  # noqa: S704 -- html is off, so the renderer escapes


def slug(heading: str) -> str:
    """Name a heading as GitHub does."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@cache
def _sources() -> dict[str, str]:
    folder = PACKED if PACKED.is_dir() else CLONE
    return {file.name: file.read_text("utf-8") for file in sorted(folder.glob("*.md"))}


def _title(text: str) -> str:
    return text.partition("\n")[0].removeprefix("# ")


def _place(name: str) -> tuple[int, str]:
    return (FIRST.index(name) if name in FIRST else 0, name)


def _without_dead_ends(children: Sequence[Token]) -> Iterator[Token]:
    """Leave out pictures, and what would lead to a file that was not packed."""
    dead = False
    for token in children:
        if token.type == "link_open":
            target = str(token.attrGet("href"))
            file = target.partition("#")[0]
            dead = not target.startswith(("https://", "http://", "#")) and file not in _sources()
        if token.type == "image" or (dead and token.type in {"link_open", "link_close"}):
            continue
        yield token
