"""Tests of reading the numbers of an embedding."""

import math

from chaos.protocol.json.defects import Defects
from chaos.protocol.json.numbers import numbers
from chaos.protocol.reading import Defect


def test_numbers_are_read_as_they_are():
    """Whole ones too."""
    found = Defects()
    assert numbers([1, -0.5, 2e3], "x", found) == (1.0, -0.5, 2000.0)
    assert found.found == ()


def test_what_is_no_number_is_noted_and_keeps_its_place():
    """The others keep theirs."""
    found = Defects()
    read = numbers([1, None, "2", True, [3]], "embedding 0", found)
    assert [math.isnan(number) for number in read] == [False, True, True, True, True]
    assert [defect.defect for defect in found.found] == [Defect.WRONG_SHAPE]


def test_a_number_beyond_all_bounds_is_infinite():
    """JSON allows any number of digits."""
    assert numbers([10**400], "x", Defects()) == (math.inf,)
