"""Know the calls of drills that have ended: gateways go on trying for minutes.

What a text holds is anybody's, so looking through it takes time in proportion to its length, and
of a long one only both ends are looked at.
"""

import re
import time
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator

REMEMBER_S = 24 * 3600.0
MOST_REMEMBERED = 20_000
MOST_LOOKED_AT = 128 << 10
"""Characters at each end of a text: a prompt's token is near one of them."""

NONCE_CHARS = 8
_HEX_RUN = re.compile(r"[0-9a-f]{8,}")


class LateCalls:
    """The nonces of ended drills, and how many requests came with each."""

    def __init__(self) -> None:
        self._ended: OrderedDict[str, float] = OrderedDict()
        # Few are ever called again, so that the others need not have a count.
        self._came: Counter[str] = Counter()

    def end(self, nonce: str) -> None:
        """Remember that the drill of *nonce* has ended; forget what is too old."""
        now_s = time.monotonic()
        self._ended[nonce] = now_s
        while len(self._ended) > MOST_REMEMBERED or self._oldest_s() < now_s - REMEMBER_S:
            forgotten, _ = self._ended.popitem(last=False)
            self._came.pop(forgotten, None)

    def _oldest_s(self) -> float:
        return next(iter(self._ended.values()))

    def count(self, nonce: str) -> int:
        """Say how many requests of the ended drill of *nonce* have come."""
        return self._came[nonce]

    def take(self, words: Iterable[str]) -> bool:
        """Count a request whose text carries an ended drill's nonce; False if it carries none."""
        for nonce in _candidates(words):
            if nonce in self._ended:
                self._came[nonce] += 1
                return True
        return False


def _candidates(words: Iterable[str]) -> Iterator[str]:
    """Yield everything that reads like a nonce, inside longer runs of digits too."""
    for text in words:
        if len(text) > 2 * MOST_LOOKED_AT:
            looked_at = f"{text[:MOST_LOOKED_AT]} {text[-MOST_LOOKED_AT:]}"
        else:
            looked_at = text
        for run in _HEX_RUN.finditer(looked_at):
            digits = run[0]
            for place in range(len(digits) - NONCE_CHARS + 1):
                yield digits[place : place + NONCE_CHARS]
