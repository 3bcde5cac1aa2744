"""Parsing what others send as JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.protocol.json.text import excerpt, parse_json, whole_text


@given(st.binary(max_size=60))
def test_bytes_are_json_or_a_value_error(data):
    """No bytes make the parser raise anything else."""
    try:
        parse_json(data)
    except ValueError:
        return
    json.loads(data.decode())


@pytest.mark.parametrize(
    "data",
    [b"", b"NaN", b'{"a": -Infinity}', b"[" * 100_000, b"\xff", '{"a": 1}'.encode("utf-16")],
)
def test_what_others_let_pass_is_refused(data):
    """Numbers that JSON lacks, bottomless nesting and other encodings are not JSON."""
    with pytest.raises(ValueError):
        parse_json(data)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("plain ü😀", "plain ü😀"),
        ("\ud83d\ude00", "😀"),
        ("a\ud83d", "a\ufffd"),
        ("\ude00b", "\ufffdb"),
        ("ü\ud83d\ude00\udfff", "ü😀\ufffd"),
    ],
)
def test_surrogates_become_characters(text, whole):
    """Pairs are put together, halves are replaced, and all else stays."""
    assert whole_text(text) == whole


@pytest.mark.parametrize(
    ("data", "quoted"),
    [(b"a\n  b", "a b"), ("x" * 500, "x" * 199 + "…"), (b"\xff", "\ufffd"), ("", "")],
)
def test_an_excerpt_is_one_short_line(data, quoted):
    """A message for people quotes the beginning, without line breaks."""
    assert excerpt(data) == quoted
