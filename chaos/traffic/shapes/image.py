"""A question about pictures."""

import base64
import hashlib
import struct
import zlib
from collections.abc import Mapping
from types import MappingProxyType

from chaos.protocol.conversation import Ask, Turn
from chaos.traffic.shape import ClientProfile, Expectation, Task, TrafficShape

COLOURS: Mapping[str, tuple[int, int, int]] = MappingProxyType(
    {
        "red": (220, 0, 0),
        "green": (0, 160, 0),
        "blue": (0, 0, 220),
        "yellow": (240, 220, 0),
        "black": (0, 0, 0),
        "white": (255, 255, 255),
    }
)
PICTURES = 3
"""With six colours each: who lost the pictures guesses right once in 216 times."""

SIDE_PIXELS = 64
"""Some models refuse smaller pictures."""


class Image(TrafficShape):
    """Colours without a known address but the pictures, in an order that the nonce chooses."""

    name = "image"
    summary = "Three small pictures; the answer names the colour of each, and no other."

    def task(self, nonce: str, *, max_tokens: int, profile: ClientProfile | None = None) -> Task:
        """Show colours that the nonce chooses, and ask for them."""
        del profile
        colours = colours_of(nonce)
        prompt = (
            f"Each of these {PICTURES} pictures has one colour, one of {', '.join(COLOURS)}. "
            "Answer with the colour of the first, of the second and of the third picture, in "
            f"this order, and then with this token: {nonce}"
        )
        images = tuple(one_colour(COLOURS[colour]) for colour in colours)
        ask = Ask(turns=(Turn("user", prompt, images=images),), max_tokens=max_tokens)
        expect = Expectation(words=colours, words_among=tuple(COLOURS))
        return Task(ask, expect)


def colours_of(nonce: str) -> tuple[str, ...]:
    """Choose a colour for each picture; what *nonce* reads like says nothing of them."""
    drawn = int.from_bytes(hashlib.sha256(nonce.encode()).digest()[:8], "big")
    names = list(COLOURS)
    return tuple(names[drawn // len(names) ** place % len(names)] for place in range(PICTURES))


def one_colour(rgb: tuple[int, int, int], side_pixels: int = SIDE_PIXELS) -> str:
    """Draw a square of one colour, as PNG in base64."""
    row = b"\x00" + bytes(rgb) * side_pixels
    header = struct.pack(">IIBBBBB", side_pixels, side_pixels, 8, 2, 0, 0, 0)
    chunks = (
        _chunk(b"IHDR", header),
        _chunk(b"IDAT", zlib.compress(row * side_pixels)),
        _chunk(b"IEND", b""),
    )
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(chunks)).decode()


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)
