"""Newline-delimited JSON, cut into lines."""

from hypothesis import given

from chaos.protocol.json_lines import JsonLines
from tests.fakes.examples import cut, split_places

DATA = b'{"a": 1}\n\n{"b": "\xc3\xa4"}\r\n{"c": 3'


@given(places=split_places)
def test_lines_do_not_depend_on_the_split(places):
    """Empty lines are left out, also between CR and LF; what was begun is told apart."""
    lines = JsonLines()
    found = [line for part in cut(DATA, places) for line in lines.feed(part)]
    assert found == [b'{"a": 1}', b'{"b": "\xc3\xa4"}']
    assert lines.close() == b'{"c": 3'
    assert lines.close() == b""


def test_a_line_without_end_does_not_fill_the_memory():
    """It is counted, and the next one is read."""
    lines = JsonLines(max_line_bytes=8)
    assert lines.feed(b"0123") + lines.feed(b"456789") == []
    assert lines.feed(b"0123\nshort\n") == [b"short"]
    assert lines.oversized == 1


def test_a_last_line_without_end_that_is_too_long_is_counted_too():
    """Nothing of it is kept."""
    lines = JsonLines(max_line_bytes=4)
    lines.feed(b"0123456789")
    assert (lines.close(), lines.oversized) == (b"", 1)
