"""Make the three standard streams fit for use, whatever the command was started with.

A closed one is opened on /dev/null: the next file or socket would take its number, and what is
then written into it, or closed with it, is not what anybody meant (libuv aborts the process).
Results that cannot be written are an error; progress that nobody can read is not.
"""

import codecs
import errno
import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

from chaos.errors import UnderstudyError
from chaos.process.terminal import ASCII

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

LOST = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""What a full disk, a limit and a broken device say. A reader that has left is none of these."""

SPELLED = "understudy.spelled"
"""Name of the codec error handler that writes what the encoding lacks in ASCII."""


class OutputLostError(UnderstudyError):
    """Standard output takes no more."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"standard output could not be written: {why}",
            remedy="Make room where it goes, or send it elsewhere.",
        )


def prepare() -> None:
    """Do all of it; the first thing that the command does."""
    _open_closed()
    codecs.register_error(SPELLED, _spelled)
    sys.stdout = _guarded(sys.stdout, 1)
    sys.stderr = _guarded(sys.stderr, 2)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors=SPELLED)


def flush() -> None:
    """Write what is still buffered: Python itself would end with 120 if that failed.

    Raises:
        OutputLostError: It cannot be written.
    """
    for stream in (sys.stderr, sys.stdout):
        try:
            stream.flush()
        except BrokenPipeError:
            into_nothing(stream)
        buffer = getattr(stream, "buffer", None)
        raw = getattr(buffer, "raw", buffer)
        if isinstance(raw, _Raw) and raw.lost is not None:
            # Told again: who wrote may have taken the first time for something else.
            raise OutputLostError(raw.lost)


def into_nothing(stream: TextIO) -> None:
    """Have *stream* end at /dev/null: what it still buffers would raise again at the end."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, stream.fileno())
    os.close(nothing)


def _open_closed() -> None:
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number is taken, and those below are in use by now.
            opened = os.open(os.devnull, os.O_RDWR)
            # What we start would otherwise have it closed again.
            os.set_inheritable(opened, True)
    # Python has noted at its start that there was none.
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 -- to the end
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 -- to the end
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 -- to the end


def _guarded(stream: TextIO, number: int) -> TextIO:
    """Write to the same place by way of ``_Raw``; anything but the real stream is left alone."""
    try:
        if stream.fileno() != number:
            return stream
    except (OSError, ValueError):
        return stream
    stream.flush()
    raw = _Raw(number)
    unbuffered = isinstance(getattr(stream, "buffer", None), io.RawIOBase)
    # A raw stream as the buffer is what Python itself makes of PYTHONUNBUFFERED.
    return io.TextIOWrapper(
        raw if unbuffered else io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=getattr(stream, "line_buffering", False),
        write_through=unbuffered,
    )


class _Raw(io.FileIO):
    """A standard stream that says when it is lost, and swallows the rest.

    Attributes:
        lost: Why results are lost; None if none are.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number, "w", closefd=False)
        self.lost: str | None = None
        self._result = number == 1
        # Asked now: a terminal that is gone says that it is none.
        self._terminal = os.isatty(number)
        self._swallows = False

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write, or say that it cannot be done.

        Raises:
            OutputLostError: It is a result, and there is no more room; only the first time.
        """
        size = memoryview(data).nbytes
        # Nothing is written to find out whether it takes bytes; /dev/full refuses even that.
        if self._swallows or not size:
            return size
        try:
            return super().write(data)
        except OSError as error:
            if error.errno not in LOST:
                raise
            self._swallows = True
            gone = self._terminal and error.errno == errno.EIO
            if self._result and not gone:
                self.lost = error.strerror or "no reason given"
                raise OutputLostError(self.lost) from error
            return size

    def close(self) -> None:
        """Stay open to the end, whichever buffer around it is closed."""


def _spelled(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(ASCII.get(character, "?") for character in lacking), error.end
