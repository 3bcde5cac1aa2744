"""Signs that the encoding of the output lacks are spelled in ASCII, with their style."""

import io

from rich.console import Console
from rich.text import Text

from supervisor.reporting.drill_table import table
from supervisor.reporting.spelling import spelled
from tests.fakes.rows import failed


def test_styles_stay_on_what_they_were_on():
    """What follows a longer sign moves."""
    text = Text.assemble("a ", ("→ b", "red"), ("…", "bold"))
    plain = spelled(text, "ascii")
    assert plain.plain == "a -> b..."
    assert [(span.start, span.end, str(span.style)) for span in plain.spans] == [
        (2, 6, "red"),
        (6, 9, "bold"),
    ]


def test_an_encoding_that_has_them_keeps_them():
    """Nothing is changed for most."""
    text = Text("✗a → b")
    assert spelled(text, "utf-8") is text
    assert spelled("✗a → b", "utf-8") == "✗a → b"


def test_the_drill_table_measures_what_it_writes():
    """A path stays on one line, with signs of one letter or of two."""
    stream = io.TextIOWrapper(io.BytesIO(), "ascii")
    Console(file=stream, width=100, highlight=False).print(table([failed()]))
    stream.seek(0)
    assert "xclaude -> gemma " in stream.read()
