"""Show what others have written: a group's name or an error may hold what a terminal obeys.

And show what is our own on a terminal that lacks a sign.
"""

_OBEYED = {
    code: "\N{REPLACEMENT CHARACTER}"
    for code in (*range(0x20), *range(0x7F, 0xA0))
    if chr(code) not in "\n\t"
}

ASCII = {
    "✗": "x",
    "→": "->",
    "≤": "<=",
    "…": "...",
    "“": '"',
    "”": '"',
    "─": "-",
    "×": "x",
}
"""How our own signs are written where the encoding lacks them."""


def printable(text: str) -> str:
    """Take out of *text* what a terminal would obey: colours, titles, moves of the cursor."""
    return text.translate(_OBEYED)
