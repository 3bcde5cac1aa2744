"""Where output goes: results to stdout, progress and errors to stderr, colour only on terminals.

A reader that leaves (``| head``) ends the output, not the command: what it does and its exit
code are the same.
"""

import io
import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TextIO, cast

from rich.console import Console, ConsoleDimensions, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from chaos.errors import UnderstudyError
from chaos.process.terminal import printable
from chaos.witness.redaction import without_keys
from supervisor.cli.streams import into_nothing
from supervisor.reporting.spelling import spelled

WIDE = 10_000
"""Columns of what is no terminal: nothing is broken at 80 that a program or an editor reads."""

_PADDING = re.compile(r" +(?=\n)")


class _Output(Console):
    """A console that goes on in silence when nobody reads any more.

    What others have named, a model group or an error, commands no terminal. A file or a pipe gets
    whole lines without padding, unless COLUMNS says how wide they are.
    """

    @property  # type: ignore[misc]  # nobody sets it
    def size(self) -> ConsoleDimensions:
        """Say how much there is room for."""
        found = super().size
        columns = os.environ.get("COLUMNS", "")
        if columns.isdigit():
            # As it says now: rich reads it once, where the console is made.
            return ConsoleDimensions(int(columns), found.height)
        if self.is_terminal:
            return found
        return ConsoleDimensions(WIDE, found.height)

    def _render_buffer(self, buffer: Iterable[Segment]) -> str:
        text = super()._render_buffer(buffer)
        return text if self.is_terminal else _PADDING.sub("", text)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Draw, with nothing inside a text that a terminal would obey, in signs that it has."""
        renderable = spelled(renderable, (options or self.options).encoding)
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else printable(text), style, control)

    def on_broken_pipe(self) -> None:
        into_nothing(cast(TextIO, self.file))


_ESCAPED = {code: f"\\u{code:04x}" for code in range(0x7F, 0xA0)}
"""What JSON may hold as it is and a terminal obeys."""

out = _Output(highlight=False, soft_wrap=False)
err = _Output(stderr=True, highlight=False)


def say(message: str) -> None:
    """Show progress, on stderr, with nothing that looks like a provider's key."""
    err.print(Text(without_keys(message), style="dim" if err.is_terminal else ""), soft_wrap=True)


def complain(error: UnderstudyError) -> None:
    """Print what is wrong and what to do about it, on stderr.

    An error quotes what gateways and processes said, and they may have named a key.
    """
    err.print(Text.assemble(("error: ", "bold red"), without_keys(error.message)), soft_wrap=True)
    for line in without_keys(error.remedy).splitlines():
        err.print(Text.assemble(("  → ", "bold"), line), soft_wrap=True)


def as_plain_text(renderable: RenderableType) -> str:
    """Draw as for a pipe, without colours: for a file, whatever stdout is."""
    page = _Output(file=io.StringIO(), force_terminal=False, color_system=None, highlight=False)
    with page.capture() as captured:
        page.print(renderable, crop=False)
    return captured.get()


def show(renderable: RenderableType) -> None:
    """Print a result on stdout; what is ``unbroken`` in it is not cut at the terminal's edge."""
    out.print(renderable, crop=False)


def print_json(text: str) -> None:
    """Print machine-readable text, without wrapping or colour, and at once."""
    encoding = sys.stdout.encoding or "utf-8"
    # Not in other signs: a quotation mark would end a string, an angle bracket begin a tag.
    written = text.translate(_ESCAPED).encode(encoding, "replace").decode(encoding)
    try:
        with _whole(sys.stdout) as stream:
            print(written, file=stream, flush=True)
    except BrokenPipeError:
        into_nothing(sys.stdout)


@contextmanager
def _whole(stream: TextIO) -> Iterator[TextIO]:
    """Write until everything is written: with PYTHONUNBUFFERED Python writes once, and no more."""
    raw = getattr(stream, "buffer", None)
    if not isinstance(raw, io.RawIOBase):
        yield stream
        return
    stream.flush()
    buffer = io.BufferedWriter(raw)
    text = io.TextIOWrapper(buffer, encoding=stream.encoding, errors=stream.errors)
    try:
        yield text
    finally:
        # Its end must not be the end of stdout.
        text.detach()
        buffer.detach()
