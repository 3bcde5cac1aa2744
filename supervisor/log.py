"""What the daemon writes down as it goes: events with fields, readable or as JSON.

On a terminal they are read by people; everywhere else, the journal above all, each is one line of
JSON. What looks like a provider's key is masked in every value.
"""

import sys
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from typing import Any, TextIO

import structlog
from structlog.typing import WrappedLogger

from chaos.process.terminal import printable
from chaos.witness.redaction import without_keys


def configure(stream: TextIO | None = None) -> None:
    """Send the log to *stream*, by default stderr, in the form that suits it."""
    stream = stream or sys.stderr
    people = stream.isatty()
    form: Any = (
        structlog.dev.ConsoleRenderer(colors=True, pad_event_to=20)
        if people
        else structlog.processors.JSONRenderer(default=str)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S" if people else "iso", utc=not people),
            structlog.processors.format_exc_info,
            _mask,
            form,
        ],
        wrapper_class=structlog.make_filtering_bound_logger("info"),
        logger_factory=lambda: _Printer(stream),
        cache_logger_on_first_use=False,
    )


class _Printer(structlog.PrintLogger):
    """Writes lines, and goes on in silence when nobody reads them or the disk is full."""

    def msg(self, message: str) -> None:
        with suppress(OSError, ValueError):
            super().msg(message)

    log = debug = info = warning = error = critical = msg


def _mask(_: WrappedLogger, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    return {
        name: printable(without_keys(value)) if isinstance(value, str) else value
        for name, value in event.items()
    }
