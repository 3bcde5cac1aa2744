"""Secrets that are found wherever they turn up: as they are, encoded, or only a piece of them."""

import base64
import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field

PIECE = 12
"""Characters of a secret that are as bad as all of it."""


def secret(name: str) -> str:
    """Make up a secret that has no provider's shape, so that no pattern can mask it."""
    return f"Kanarie{name}Qx7{''.join(reversed(name))}Zw9"


def spellings(value: str) -> frozenset[bytes]:
    """Write a secret in every way in which it may come out."""
    pieces = {value[:PIECE], value[-PIECE:], value[::-1], urllib.parse.quote(value, safe="")}
    plain = {piece.encode() for piece in pieces}
    # In Base64 the same bytes look different at each of three places.
    shifted = (base64.b64encode(bytes(n) + value.encode())[4:-4] for n in range(3))
    return frozenset({*plain, *shifted, value.encode().hex().encode()})


@dataclass
class Canaries:
    """What must not be seen anywhere, and everything that has been looked at.

    Attributes:
        secrets: By name.
        seen: By where it was.
    """

    secrets: Mapping[str, str]
    seen: dict[str, bytes] = field(default_factory=dict)

    def see(self, where: str, what: bytes | str) -> None:
        """Look at one more thing; what was there before at the same place counts too."""
        data = what.encode() if isinstance(what, str) else what
        self.seen[where] = self.seen.get(where, b"") + b"\n" + data

    def found(self) -> list[str]:
        """List every secret that was seen, and where."""
        patterns = {
            name: re.compile(b"|".join(map(re.escape, spellings(value))))
            for name, value in self.secrets.items()
        }
        return [
            f"{name} in {where}: …{data[max(0, at.start() - 60) : at.end() + 20]!r}"
            for where, data in self.seen.items()
            for name, pattern in patterns.items()
            if (at := pattern.search(data)) is not None
        ]
