"""Know the calls of drills that have ended: gateways go on trying for minutes.

What a body holds is anybody's, so looking through it takes time in proportion to its length,
and of a long one only both ends are looked at.
"""

import re
import time
from collections import OrderedDict
from collections.abc import Iterator

REMEMBER_S = 24 * 3600.0
MOST_REMEMBERED = 20_000
MOST_LOOKED_AT = 128 << 10
"""Bytes at each end of a body: a prompt's text is near one of them."""

NONCE_BYTES = 8
_HEX_RUN = re.compile(rb"[0-9a-f]{8,}")


class LateCalls:
    """The nonces of ended drills, and how many requests came with each."""

    def __init__(self) -> None:
        self._ended: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def end(self, nonce: str) -> None:
        """Remember that the drill of *nonce* has ended; forget what is too old."""
        now_s = time.monotonic()
        self._ended[nonce] = (now_s, 0)
        while len(self._ended) > MOST_REMEMBERED or self._oldest_s() < now_s - REMEMBER_S:
            self._ended.popitem(last=False)

    def _oldest_s(self) -> float:
        return next(iter(self._ended.values()))[0]

    def count(self, nonce: str) -> int:
        """Say how many requests of the ended drill of *nonce* have come."""
        return self._ended.get(nonce, (0.0, 0))[1]

    def take(self, body: bytes) -> bool:
        """Count a request that carries an ended drill's nonce; False if it carries none."""
        for nonce in _candidates(body):
            if nonce in self._ended:
                ended_at_s, count = self._ended[nonce]
                self._ended[nonce] = (ended_at_s, count + 1)
                return True
        return False


def _candidates(body: bytes) -> Iterator[str]:
    """Yield everything in *body* that reads like a nonce, inside longer runs of digits too."""
    if len(body) > 2 * MOST_LOOKED_AT:
        body = body[:MOST_LOOKED_AT] + b" " + body[-MOST_LOOKED_AT:]
    for run in _HEX_RUN.finditer(body):
        digits = run[0].decode("ascii")
        for place in range(len(digits) - NONCE_BYTES + 1):
            yield digits[place : place + NONCE_BYTES]
