"""Defects are collected once each, and bounded."""

from typing import Any

from chaos.protocol.json.defects import Defects
from chaos.protocol.reading import Defect


def test_each_defect_is_told_once_in_order():
    """A defect found twice is one defect."""
    defects = Defects()
    for defect in (Defect.NO_START, Defect.NO_FINISH, Defect.NO_START):
        defects.add(defect, "here")
    assert [found.defect for found in defects.found] == [Defect.NO_START, Defect.NO_FINISH]


def test_a_flood_of_defects_is_bounded():
    """A stream of nonsense does not fill the memory."""
    defects = Defects()
    for number in range(10_000):
        defects.add(Defect.UNKNOWN_EVENT, str(number))
    assert len(defects.found) == 50


def test_required_fields_are_taken_or_noted():
    """A field of the wrong type is empty and leaves a defect that names it."""
    defects = Defects()
    parent: dict[str, Any] = {"s": "a", "n": 1, "o": {"x": 1}, "l": [{"y": 1}, 2]}
    assert defects.need_text(parent, "s", "p") == "a"
    assert defects.need_count(parent, "n", "p") == 1
    assert defects.need_object(parent, "o", "p") == {"x": 1}
    assert list(defects.found) == []
    assert defects.need_objects(parent, "l", "p") == [{"y": 1}]
    assert defects.need_text(parent, "n", "p") == ""
    assert defects.need_count(parent, "s", "p") is None
    assert defects.need_object({}, "o", "p") == {}
    assert defects.need_objects(parent, "o", "p") == []
    assert [found.detail for found in defects.found] == [
        "p.l has an item that is not an object",
        "p.n is 1, not a string",
        "p.s is 'a', not a whole number",
        "p.o is missing or null, not an object",
        "p.o is {'x': 1}, not a list",
    ]
