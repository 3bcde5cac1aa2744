"""A question about a picture."""

import base64
import zlib

from chaos.traffic.shapes.image import COLOURS, Image, one_colour


def test_it_is_a_picture_of_one_colour():
    """A PNG with good checksums whose every pixel is the colour asked for."""
    png = base64.b64decode(one_colour((1, 2, 3), 4))
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    place, chunks = 8, {}
    while place < len(png):
        size = int.from_bytes(png[place : place + 4], "big")
        kind, data = png[place + 4 : place + 8], png[place + 8 : place + 8 + size]
        assert zlib.crc32(kind + data) == int.from_bytes(png[place + 8 + size :][:4], "big")
        chunks[kind] = data
        place += 12 + size
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    assert zlib.decompress(chunks[b"IDAT"]) == (b"\x00" + b"\x01\x02\x03" * 4) * 4


def test_the_nonce_chooses_the_colour():
    """Nobody can know it without the picture, and every colour is used."""
    needles = {Image().task(f"{number:08x}", max_tokens=5).expect.needle for number in range(40)}
    assert needles == set(COLOURS)


def test_the_prompt_does_not_tell_the_colour():
    """All of them are named, in the same order every time."""
    one, other = (Image().task(nonce, max_tokens=5) for nonce in ("00000001", "00000002"))
    assert one.expect.needle != other.expect.needle
    assert one.ask.text.replace("00000001", "00000002") == other.ask.text
