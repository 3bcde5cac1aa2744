"""What people copy from the screen stays one line, however narrow the terminal is.

The terminal breaks it where it has to, and copies it whole. ``console.show`` prints it so.
"""

from rich.text import Text


def unbroken(text: str | Text, columns: int = 0) -> Text:
    """Indent *text*, and let nothing but its own line ends break it."""
    drawn = Text.assemble(" " * columns, text) if columns else Text.assemble(text)
    drawn.no_wrap, drawn.overflow = True, "ignore"
    return drawn
