"""Tests of taking others' JSON apart."""

import pytest

from chaos.protocol.json.defects import Defects
from chaos.protocol.json.strict import compact, distinct, parse, shown
from chaos.protocol.reading import Defect


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"NaN", b"[" * 100_000, b"1" * 5000])
def test_what_is_not_json_is_told_and_not_raised(data):
    """No bytes make the parser raise."""
    assert parse(data) == (False, None)


def test_json_is_parsed():
    """Null is JSON, and is told from what is none."""
    assert parse(b"null") == (True, None)


def test_an_absent_field_is_fine_and_a_wrong_one_is_noted():
    """An optional field may be absent or null; of the wrong type it is a defect."""
    log = Defects()
    assert log.optional_text({"a": None}, "a", "here") is None
    assert log.optional_count({}, "n", "here") is None
    assert not log.found
    assert log.optional_text({"a": 1}, "a", "here") == ""
    assert log.optional_count({"n": True}, "n", "here") is None
    assert [found.defect for found in log.found] == [Defect.WRONG_SHAPE] * 2


def test_what_is_shown_is_short():
    """A long value is cut, and a missing one called so."""
    assert shown(None) == "missing or null"
    assert len(shown("x" * 999)) == 60


def test_json_nested_beyond_measure_is_written_as_such():
    """Values that the writer cannot take are named, not raised about."""
    value: list[object] = []
    for _ in range(100_000):
        value = [value]
    assert "nested" in compact(value)


def test_distinct_values_keep_their_order():
    """Each value comes once, where it came first, and empty ones not at all."""
    assert distinct(["b", "", "a", "b"]) == ("b", "a")
