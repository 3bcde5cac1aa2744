"""A question about a picture."""

import base64
import struct
import zlib
from collections.abc import Mapping
from types import MappingProxyType

from chaos.protocol.conversation import Ask, Turn
from chaos.traffic.shape import ClientProfile, Expectation, ShapeTraits, Task

COLOURS: Mapping[str, tuple[int, int, int]] = MappingProxyType(
    {"red": (220, 0, 0), "green": (0, 160, 0), "blue": (0, 0, 220), "yellow": (240, 220, 0)}
)
SIDE_PIXELS = 64
"""Some models refuse smaller pictures."""


class Image(ShapeTraits):
    """One colour, named by nobody but the picture: who lost the picture can only guess."""

    name = "image"
    summary = "A small picture; the answer names its colour."

    def task(self, nonce: str, *, max_tokens: int, profile: ClientProfile | None = None) -> Task:
        """Show a colour that the nonce chooses, and ask for it."""
        del profile
        colour = list(COLOURS)[zlib.crc32(nonce.encode()) % len(COLOURS)]
        prompt = (
            f"What colour is this picture: {', '.join(COLOURS)}? "
            f"Answer with the colour, and then with this token: {nonce}"
        )
        turn = Turn("user", prompt, image_png_base64=one_colour(COLOURS[colour]))
        ask = Ask(turns=(turn,), max_tokens=max_tokens)
        return Task(ask, Expectation(nonce_in_text=True, needle=colour))


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
