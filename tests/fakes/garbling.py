"""Real bytes made wrong: by chance, and the same each time."""

import re
from collections.abc import Iterator, Sequence
from random import Random

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null')
_INSTEAD = (
    b"null",
    b"true",
    b"[]",
    b"{}",
    b'""',
    b"-1",
    b"1e999",
    b"NaN",
    b"9" * 40,
    b'"\\ud83d"',
    b'"\\u0000"',
    b'{"a": [{}]}',
    b'[[null, ""], 0]',
)
_RARELY = (b"9" * 400, b"9" * 5_000, b"[" * 3_000, b'{"a":' * 3_000)
MOST_NOISE_BYTES = 400
MOST_PIECE_BYTES = 300


def garbled(rng: Random, samples: Sequence[bytes]) -> bytes:
    """Make one input: a sample, changed in a few places; one in ten is noise alone."""
    if rng.random() < 0.1:
        return rng.randbytes(rng.randrange(MOST_NOISE_BYTES))
    data = rng.choice(samples)
    for _ in range(rng.randint(1, 4)):
        data = rng.choice(_CHANGES)(rng, data, rng.choice(samples))
    return data


def pieces(rng: Random, data: bytes) -> Iterator[bytes]:
    """Cut *data* anywhere, in pieces of one byte and more."""
    at = 0
    while at < len(data):
        end = at + rng.choice((1, 2, 3, rng.randint(1, MOST_PIECE_BYTES), len(data)))
        yield data[at:end]
        at = end


def _span(rng: Random, data: bytes) -> tuple[int, int]:
    start = rng.randrange(len(data) + 1)
    return start, min(len(data), start + rng.randint(0, 60))


def _flip(rng: Random, data: bytes, _: bytes) -> bytes:
    changed = bytearray(data)
    for _n in range(rng.randint(1, 8)):
        if changed:
            changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def _drop(rng: Random, data: bytes, _: bytes) -> bytes:
    start, end = _span(rng, data)
    return data[:start] + data[end:]


def _repeat(rng: Random, data: bytes, _: bytes) -> bytes:
    start, end = _span(rng, data)
    return data[:end] + data[start:end] * rng.randint(1, 5) + data[end:]


def _insert(rng: Random, data: bytes, _: bytes) -> bytes:
    start, _end = _span(rng, data)
    return data[:start] + rng.randbytes(rng.randint(1, 30)) + data[start:]


def _splice(rng: Random, data: bytes, other: bytes) -> bytes:
    return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]


def _cut(rng: Random, data: bytes, _: bytes) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _token(rng: Random, data: bytes, other: bytes) -> bytes:
    """Put another value in the place of one, of another type mostly."""
    found = list(_TOKEN.finditer(data))
    if not found:
        return data
    place = rng.choice(found)
    theirs = _TOKEN.findall(other)
    chance = rng.random()
    instead = rng.choice(_RARELY if chance < 0.01 else _INSTEAD)
    if theirs and chance > 0.7:
        instead = rng.choice(theirs)
    return data[: place.start()] + instead + data[place.end() :]


_CHANGES = (_flip, _drop, _repeat, _insert, _splice, _cut, _token, _token, _token, _token)
