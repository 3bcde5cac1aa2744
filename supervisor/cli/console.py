"""Where output goes: results to stdout, progress and errors to stderr, colour only on terminals.

A reader that leaves (``| head``) ends the output, not the command: what it does and its exit
code are the same.
"""

import io
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TextIO, cast

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from chaos.errors import UnderstudyError
from chaos.process.terminal import printable
from chaos.witness.redaction import without_keys
from supervisor.cli.streams import into_nothing
from supervisor.reporting.spelling import spelled


class _Output(Console):
    """A console that goes on in silence when nobody reads any more.

    What others have named, a model group or an error, commands no terminal.
    """

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
    """Draw as ``out`` would, without colours: for a file, whatever stdout is."""
    page = _Output(file=io.StringIO(), width=out.width, color_system=None, highlight=False)
    with page.capture() as captured:
        page.print(renderable)
    return captured.get()


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
