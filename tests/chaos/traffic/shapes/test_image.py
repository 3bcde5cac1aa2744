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


def test_the_nonce_chooses_the_colours():
    """Nobody can know them without the pictures: nearly every drill has others."""
    chosen = {Image().task(f"{number:08x}", max_tokens=5).expect.words for number in range(200)}
    assert {word for words in chosen for word in words} == set(COLOURS)
    assert len(chosen) > 100


def test_the_pictures_have_the_colours_in_their_order():
    """What is expected is what is shown."""
    task = Image().task("00000001", max_tokens=5)
    shown = tuple(one_colour(COLOURS[word]) for word in task.expect.words)
    assert task.ask.turns[0].images == shown


def test_the_prompt_does_not_tell_the_colours():
    """All of them are named, in the same order every time."""
    one, other = (Image().task(nonce, max_tokens=5) for nonce in ("00000001", "00000002"))
    assert one.expect.words != other.expect.words
    assert one.ask.text.replace("00000001", "00000002") == other.ask.text
