"""Tests of opening a whole reply."""

import pytest

from chaos.protocol.json.defects import Defects
from chaos.protocol.json.opened import opened
from chaos.protocol.reading import Defect, ReadError, Reading


def open_(status, body):
    """Open *body*; an error tells what it was read from."""
    return opened(status, body, Defects(), lambda code, told: ReadError(f"{code} {told!r}"))


def test_a_good_object_is_handed_on():
    """Whatever is in it is for the API's own reader."""
    assert open_(200, b'{"a": 1}') == {"a": 1}


@pytest.mark.parametrize(
    ("body", "defect"),
    [(b"", Defect.NOT_JSON), (b"<html>", Defect.NOT_JSON), (b"[1]", Defect.NOT_AN_OBJECT)],
)
def test_a_good_status_with_something_else_has_its_defect_and_no_error(body, defect):
    """A claim of success that holds nothing."""
    reading = open_(200, body)
    assert isinstance(reading, Reading)
    assert (reading.has(defect), reading.error, reading.ended) == (True, None, False)


@pytest.mark.parametrize(
    ("body", "told", "ended"),
    [
        (b'{"error": 1}', "500 {'error': 1}", True),
        (b"[1]", "500 [1]", True),
        (b"Bad Gateway", "500 'Bad Gateway'", False),
    ],
)
def test_a_failing_status_is_an_error_whatever_comes_with_it(body, told, ended):
    """Each API reads its own envelope, or what a proxy has sent instead."""
    reading = open_(500, body)
    assert isinstance(reading, Reading)
    assert reading.error is not None
    assert (reading.error.message, reading.ended) == (told, ended)
