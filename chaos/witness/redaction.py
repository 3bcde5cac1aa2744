"""Take known credentials out of everything that is kept: upstreams and gateways repeat them.

What a header carried is known before the reply comes, so nothing has to be guessed from its
looks.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast

from chaos.witness.wire_record import MASK

FEWEST_CHARS = 6
"""Shorter ones are no secrets, and would be found inside ordinary words."""

_USERINFO = re.compile(r"(?<=://)[^\s/@'\"]+@")
_T = TypeVar("_T")


def without_userinfo(text: str) -> str:
    """Mask names and passwords inside URLs, as in the address of a proxy."""
    return _USERINFO.sub(f"{MASK}@", text)


class Scrub:
    """Masks *secrets* in whatever it is given."""

    def __init__(self, secrets: Iterable[str]) -> None:
        worth = {secret for secret in secrets if len(secret) >= FEWEST_CHARS}
        # The longest first: one that holds another is masked as a whole.
        ordered = sorted(worth, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def __call__(self, value: _T) -> _T:
        """Copy *value* without the secrets, through tuples, mappings and dataclasses."""
        return value if self._pattern is None else cast(_T, self._masked(value, self._pattern))

    def _masked(self, value: Any, pattern: re.Pattern[str]) -> Any:
        if type(value) is str:  # and no enum, whose members are no text of anybody's
            return pattern.sub(MASK, value)
        if type(value) is tuple:
            return tuple(self._masked(item, pattern) for item in value)
        if isinstance(value, Mapping):
            return {key: self._masked(item, pattern) for key, item in value.items()}
        if is_dataclass(value) and not isinstance(value, type):
            kept = {f.name: getattr(value, f.name) for f in fields(value) if f.init}
            changed = {name: self._masked(item, pattern) for name, item in kept.items()}
            return replace(value, **changed)
        return value
