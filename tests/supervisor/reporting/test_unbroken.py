"""What is copied from the screen stays one line."""

import io

from rich.console import Console, Group

from supervisor.reporting.unbroken import unbroken

COMMAND = "vllm serve --enable-auto-tool-choice --tool-call-parser hermes"


def test_a_command_is_one_line_on_any_terminal():
    """Also among others, which are broken."""
    file = io.StringIO()
    drawn = Group("words that are broken here", unbroken(COMMAND, 4))
    Console(file=file, width=20).print(drawn, crop=False)
    lines = [line.rstrip() for line in file.getvalue().splitlines()]
    assert lines == ["words that are", "broken here", f"    {COMMAND}"]
