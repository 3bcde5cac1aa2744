"""Spell our own signs in ASCII where the encoding of the output lacks them.

Before anything is laid out, because ``->`` is wider than ``→``.
"""

from copy import copy
from dataclasses import replace
from functools import lru_cache
from itertools import accumulate
from typing import Any

from rich.table import Table
from rich.text import Text

from chaos.process.terminal import ASCII


def spelled(drawn: Any, encoding: str) -> Any:
    """Spell a text or what the cells of a table hold; anything else is given back as it is."""
    if not _lacking(encoding):
        return drawn
    if isinstance(drawn, str):
        return drawn.translate(_lacking(encoding))
    if isinstance(drawn, Text):
        return _text(drawn, _lacking(encoding))
    if isinstance(drawn, Table):
        return _table(drawn, encoding)
    return drawn


@lru_cache
def _lacking(encoding: str) -> dict[int, str]:
    return {ord(sign): plain for sign, plain in ASCII.items() if not _has(encoding, sign)}


def _has(encoding: str, sign: str) -> bool:
    try:
        sign.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _text(text: Text, lacking: dict[int, str]) -> Text:
    pieces = [lacking.get(ord(character), character) for character in text.plain]
    now_at = list(accumulate(map(len, pieces), initial=0))
    result = text.blank_copy("".join(pieces))
    for start, end, style in text.spans:
        result.stylize(style, now_at[min(start, len(pieces))], now_at[min(end, len(pieces))])
    return result


def _table(table: Table, encoding: str) -> Table:
    result = copy(table)
    result.columns = [
        replace(
            column,
            header=spelled(column.header, encoding),
            _cells=[spelled(cell, encoding) for cell in column._cells],  # noqa: SLF001
        )
        for column in table.columns
    ]
    return result
