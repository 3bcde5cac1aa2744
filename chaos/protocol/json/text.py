"""Read JSON that others send: anything that is not JSON is a ``ValueError``, nothing else is."""

import json
from typing import Any, NoReturn

EXCERPT_CHARACTERS = 200


def parse_json(data: bytes | str) -> Any:
    """Parse *data*, strictly: ``NaN`` and ``Infinity`` are not JSON.

    Raises:
        ValueError: It is not JSON, or nested deeper than any reply can need.
    """
    if isinstance(data, bytes):
        # json.loads would guess UTF-16 from null bytes; an API answers in UTF-8.
        data = data.decode("utf-8")
    try:
        return json.loads(data, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def whole_text(text: str) -> str:
    """Put together what JSON escapes split: pairs of surrogates become one character.

    Engines that stream half a pair per event exist, and a lone half cannot be written as
    UTF-8 by anybody later: it becomes U+FFFD.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def excerpt(data: bytes | str) -> str:
    """Quote the beginning of *data* for people, on one line."""
    if isinstance(data, bytes):
        data = data[: EXCERPT_CHARACTERS * 4].decode("utf-8", "replace")
    line = " ".join(whole_text(data[: EXCERPT_CHARACTERS * 4]).split())
    return line if len(line) <= EXCERPT_CHARACTERS else line[: EXCERPT_CHARACTERS - 1] + "…"
