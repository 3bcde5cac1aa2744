"""Show what others have written: a group's name or an error may hold what a terminal obeys."""

_OBEYED = {
    code: "\N{REPLACEMENT CHARACTER}"
    for code in (*range(0x20), *range(0x7F, 0xA0))
    if chr(code) not in "\n\t"
}


def printable(text: str) -> str:
    """Take out of *text* what a terminal would obey: colours, titles, moves of the cursor."""
    return text.translate(_OBEYED)
