"""Take others' replies apart without ever raising, and note what is wrong with them.

The invariant of every reader: any bytes give a ``Reading``. Its counterpart for requests is
``lenient_json``.
"""

import json
from collections.abc import Iterable
from typing import Any

from chaos.protocol.json.text import parse_json, whole_text


def parse(data: str | bytes) -> tuple[bool, Any]:
    """Parse JSON; tells whether it was any."""
    try:
        return True, parse_json(data)
    except ValueError:
        return False, None


def shown(value: object) -> str:
    """Show *value* in a message about it, shortened."""
    if value is None:
        return "missing or null"
    text = compact(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def compact(value: object) -> str:
    """Write JSON as briefly as it goes."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except RecursionError:  # the parser may take a few levels more than the writer
        return '"(nested too deeply)"'


def distinct(values: Iterable[str]) -> tuple[str, ...]:
    """Keep each value once, in order of appearance, and no empty ones."""
    return tuple(dict.fromkeys(whole_text(value) for value in values if value))
