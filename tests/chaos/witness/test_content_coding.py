"""Unpacking the copy of a reply."""

import gzip
import zlib

import pytest

from chaos.witness import content_coding
from chaos.witness.content_coding import readable, unpacked

TEXT = b"hello " * 1000
_RAW = zlib.compressobj(wbits=-zlib.MAX_WBITS)
RAW = _RAW.compress(TEXT) + _RAW.flush()


@pytest.mark.parametrize(
    ("body", "codings"),
    [
        (TEXT, ""),
        (TEXT, "identity"),
        (gzip.compress(TEXT), "gzip"),
        (gzip.compress(TEXT), "X-GZIP"),
        (gzip.compress(TEXT[:600]) + gzip.compress(TEXT[600:]), "gzip"),
        (zlib.compress(TEXT), "deflate"),
        (RAW, "deflate"),
        (gzip.compress(zlib.compress(TEXT)), "deflate, gzip"),
    ],
)
def test_what_can_be_undone_is_undone(body, codings):
    """In any case of letters, several after each other, and with a header left away."""
    assert unpacked(body, codings) == TEXT


@pytest.mark.parametrize(
    ("body", "codings"), [(TEXT, "novel"), (TEXT, "gzip"), (TEXT, "deflate"), (TEXT, "gzip, novel")]
)
def test_what_cannot_be_undone_is_unknown(body, codings):
    """An unknown or broken coding is no broken reply."""
    assert unpacked(body, codings) is None


def test_a_reply_that_broke_off_gives_its_beginning():
    """How far it came is evidence."""
    packed = gzip.compress(bytes(range(256)) * 40, compresslevel=1)
    beginning = unpacked(packed[: len(packed) - 12], "gzip")
    assert beginning
    assert (bytes(range(256)) * 40).startswith(beginning)


def test_a_few_bytes_do_not_fill_the_memory(monkeypatch):
    """What unpacks to more than anybody answers is not read."""
    monkeypatch.setattr(content_coding, "MOST_BYTES", 100)
    assert unpacked(gzip.compress(TEXT), "gzip") is None
    assert unpacked(zlib.compress(TEXT), "deflate") is None
    assert unpacked(gzip.compress(TEXT[:100]), "gzip") == TEXT[:100]


@pytest.mark.parametrize(
    ("accepted", "kept"),
    [
        ("gzip, deflate, br;q=0.9, zstd", "gzip, deflate"),
        ("gzip;q=1.0,identity;q=0", "gzip;q=1.0, identity;q=0"),
        ("br", "identity"),
        ("*", "identity"),
        ("", "identity"),
    ],
)
def test_only_what_can_be_undone_is_asked_for(accepted, kept):
    """Weights stay, and without any known coding the reply comes as it is."""
    assert readable(accepted) == kept
