"""What may be kept of a drill: redacted, bounded, and JSON that every database takes. Pure.

The witness has redacted headers and keys already; this is the last door before the disk, for
whatever a body, an error message or a client's own header repeats.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from itertools import islice
from typing import Any

from chaos.witness.redaction import without_keys, without_userinfo
from chaos.witness.wire_record import MASK, redact_headers

MOST_CHARACTERS = 16_000
"""Of one text; its beginning and its end are kept."""

MOST_ENTRIES = 500
"""Of one list or object."""

MOST_JSON_CHARACTERS = 200_000
"""Of everything that is kept of one drill."""

DEEPEST = 40

_SHORTER = (MOST_CHARACTERS, 4_000, 1_000, 200)

# Not every name with "key" in it: a scenario has one, too.
_SECRET_NAMES = re.compile(
    r"(api|access|private|secret|master|virtual|signing)[-_]?key|passw|secret|credential"
    r"|(access|refresh|auth|bearer|session|security)[-_]?token|authorization|cookie",
    re.IGNORECASE,
)

_LONGEST_SECRET = 8_192

_NOTE_CHARACTERS = 40
"""At most; a text with its note is as long as it may be, so that it is never shortened again."""


class _TooMuchError(Exception):
    """It does not fit; its texts have to be shorter."""


def keepable(value: object) -> Any:
    """Turn *value* (dataclasses too) into JSON that may be stored, and is not too long."""
    for most in _SHORTER:
        try:
            kept = _Keeper(most).plain(value)
        except _TooMuchError:
            continue
        if len(json.dumps(kept)) <= MOST_JSON_CHARACTERS:
            return kept
    return {"left_out": f"more than {MOST_JSON_CHARACTERS} characters"}


def cleaned(value: Any) -> Any:
    """Clean every text in JSON of a known form, and leave its form as it is."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [cleaned(part) for part in value]
    if isinstance(value, dict):
        return {name: cleaned(part) for name, part in value.items()}
    return value


def clean(text: str, most: int = MOST_CHARACTERS) -> str:
    """Mask what looks like a credential, shorten, and leave out what databases refuse.

    Args:
        most: Characters that are kept; 100 or more.
    """
    # What is far from both ends is never looked at, so that megabytes cost nothing; a margin,
    # so that no half of a credential is left at a cut.
    cut = max(0, len(text) - 2 * (most + _LONGEST_SECRET))
    if cut:
        head, tail = text[: most + _LONGEST_SECRET], text[-(most + _LONGEST_SECRET) :]
        head, tail = _masked(head), _masked(tail)
    else:
        head, tail = _masked(text), ""
    if not cut and len(head) <= most:
        return head
    room = most - _NOTE_CHARACTERS
    first = room * 3 // 4
    note = f" …[{len(head) + cut + len(tail) - room} characters left out]… "
    return head[:first] + note + (tail or head)[first - room :]


def _masked(text: str) -> str:
    return without_keys(without_userinfo(_storable(text)))


def _storable(text: str) -> str:
    # Half a surrogate and NUL: the one is no UTF-8, the other PostgreSQL does not take.
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")


def _tells_nothing(value: object) -> bool:
    """Report whether *value* cannot be a credential, whatever its name."""
    return value is None or isinstance(value, bool | int | float) or value in ("", (), [], {})


class _Keeper:
    """Makes one value plain, with texts of *most* characters."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._left = MOST_JSON_CHARACTERS

    def plain(self, value: object, depth: int = 0) -> Any:
        kept: Any
        if value is None or isinstance(value, bool):
            kept = value
        elif isinstance(value, Enum):
            kept = self.plain(value.value, depth)
        elif isinstance(value, int):
            bits = value.bit_length()
            kept = value if bits < 64 else f"a whole number of {bits} bits"
        elif isinstance(value, float):
            kept = value if math.isfinite(value) else str(value)
        elif isinstance(value, str | bytes):
            kept = self._text(value)
        elif isinstance(value, date):
            kept = value.isoformat()
        else:
            kept = "…" if depth >= DEEPEST else self._nested(value, depth + 1)
        self._spend(1)
        return kept

    def _spend(self, characters: int) -> None:
        self._left -= characters
        if self._left < 0:
            raise _TooMuchError

    def _text(self, value: str | bytes) -> str:
        text = value if isinstance(value, str) else value.decode("utf-8", "replace")
        kept = clean(text, self._most)
        self._spend(len(kept))
        return kept

    def _nested(self, value: object, depth: int) -> Any:
        if is_dataclass(value) and not isinstance(value, type):
            named = {each.name: getattr(value, each.name) for each in fields(value)}
            return self._object(named, depth)
        if isinstance(value, Mapping):
            return self._object(value, depth)
        if isinstance(value, AbstractSet):
            value = sorted(value, key=str)
        if isinstance(value, Sequence):
            kept = [self.plain(part, depth) for part in value[:MOST_ENTRIES]]
            lost = len(value) - len(kept)
            return [*kept, f"… {lost} more"] if lost else kept
        return self._text(str(value))

    def _object(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for name, part in islice(value.items(), MOST_ENTRIES):
            text = clean(str(name), 200)
            if _SECRET_NAMES.search(text) and not _tells_nothing(part):
                kept[text] = MASK
            elif text == "headers" and isinstance(part, Mapping):
                kept[text] = self.plain(redact_headers(part), depth)
            else:
                kept[text] = self.plain(part, depth)
            self._spend(len(text))
        lost = len(value) - MOST_ENTRIES
        return {**kept, "…": f"{lost} more"} if lost > 0 else kept
