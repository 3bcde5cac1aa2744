"""Write a result, or a new file, where ``--output`` names it, or to stdout."""

import os
import tempfile
from pathlib import Path
from typing import Annotated, Literal

import typer

from chaos.errors import UsageError
from supervisor.cli.running.whole_file import write_whole

ReportFormat = Literal["table", "json", "junit"]
FormatOption = Annotated[
    ReportFormat | None,
    typer.Option(
        "--format",
        help="Form of the report (default: table; json or junit where --output ends with .json or "
        ".xml)",
    ),
]


def form_of(given: ReportFormat | None, output: Path | None) -> ReportFormat:
    """Choose the form: the one that was given, else the one that the file's name promises."""
    suffix = output.suffix.lower() if output is not None else ""
    return given or _FORMS.get(suffix, "table")


_FORMS: dict[str, ReportFormat] = {".json": "json", ".xml": "junit"}


def check_writable(output: Path) -> None:
    """Find out before the work, not after it.

    Raises:
        UsageError: Nothing could be written there.
    """
    folder = output.parent
    if output.is_dir():
        raise _unwritable(output, "it is a folder")
    if not folder.is_dir():
        raise _unwritable(output, f"there is no folder {folder}")
    try:
        if output.is_file():
            with output.open("ab"):
                pass
        elif not output.exists():
            # Made and gone: an empty file of this name would look like a result.
            with tempfile.TemporaryFile(dir=folder):
                pass
    except OSError as error:
        raise _unwritable(output, error.strerror) from None


def write_output(text: str, output: Path | None) -> None:
    """Write *text* into *output*; to stdout without one, and where that fails.

    Raises:
        UsageError: It could not be written into the file; it is on stdout.
    """
    from supervisor.cli.console import print_json, say

    if output is None:
        print_json(text.rstrip("\n"))
        return
    try:
        write_whole(output, text)
    except OSError as error:
        # The disk filled up meanwhile: what the work has cost must not be lost.
        print_json(text.rstrip("\n"))
        raise _unwritable(output, error.strerror) from error
    say(f"report written to {output}")


def _unwritable(output: Path, why: str | None) -> UsageError:
    return UsageError(
        f"the report cannot be written to {output}: {why}",
        remedy="Name a file in a folder that exists and that this user may write.",
    )


def check_new(output: Path, *, force: bool) -> None:
    """Find out before anything is asked whether a new file can be written.

    Raises:
        UsageError: The file is there, or could not be written.
    """
    if output.exists() and not force:
        raise UsageError(
            f"{output} is there already",
            remedy="Give --force to overwrite it, or another file with --output.",
        )
    folder = output.parent
    if not folder.is_dir() or not os.access(output if output.exists() else folder, os.W_OK):
        raise UsageError(
            f"{output} cannot be written",
            remedy="Name a file in a folder that exists and that this user may write, "
            "with --output.",
        )


def write_new(output: Path, text: str) -> None:
    """Write it.

    Raises:
        UsageError: It cannot be written.
    """
    try:
        output.write_text(text, "utf-8")
    except OSError as error:
        raise UsageError(
            f"{output} cannot be written: {error.strerror}", remedy="Name another with --output."
        ) from error
