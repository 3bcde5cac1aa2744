"""The error envelope of OpenAI's surfaces, and what comes in its place."""

import pytest

from chaos.protocol.openai_error import error_in, foreign_error, status_in
from chaos.protocol.reading import ReadError

GOOD = {"message": "m", "type": "t", "param": None, "code": "c"}


@pytest.mark.parametrize("change", [{}, {"code": 400}, {"type": None, "code": None}, {"extra": 1}])
def test_the_whole_envelope_is_well_formed(change):
    """OpenAI's code is text or null, vLLM's a number, and more fields do no harm."""
    error = error_in({"error": GOOD | change}, in_band=False)
    assert error is not None
    assert error.well_formed


@pytest.mark.parametrize(
    "error",
    [
        "Unauthorized",
        ["x"],
        {"message": "m", "code": 429},
        {"message": "m", "type": "overloaded_error"},
        GOOD | {"message": None},
        GOOD | {"type": 7},
        GOOD | {"code": True},
        GOOD | {"code": {"a": 1}},
    ],
)
def test_anything_else_is_an_error_that_is_not_well_formed(error):
    """Text, another provider's envelope and wrong types are errors out of form."""
    read = error_in({"error": error}, in_band=True)
    assert read is not None
    assert (read.well_formed, read.in_band) == (False, True)
    assert read.message


@pytest.mark.parametrize(
    "body", [{}, {"error": None}, {"error": ""}, {"error": {}}, [], "error", 3]
)
def test_no_error_is_none(body):
    """Null in ``error`` is how servers say that all is well."""
    assert error_in(body, in_band=True) is None


def test_all_of_an_error_is_read():
    """Message, type, code and the status that the code names are kept."""
    error = error_in({"error": GOOD | {"code": "429"}}, in_band=False)
    assert error == ReadError("m", type="t", code="429", status=429)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("401", 401),
        (503, 503),
        ("200", None),
        (True, None),
        ("invalid_api_key", None),
        (4.01, None),
        ("٤٠١", None),
        (None, None),
        (4290, None),
    ],
)
def test_a_code_is_a_status_only_if_it_is_one(code, status):
    """Three digits of a failing status, as number or text."""
    assert status_in(code) == status


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"detail": "Not Found"}, "Not Found"),
        ({"detail": [{"loc": 1}]}, '[{"loc":1}]'),
        ({"object": "error", "message": "m"}, "m"),
        ({"a": 1}, '{"a":1}'),
        ("<html>\nBad", "<html> Bad"),
        ("", "HTTP 502"),
    ],
)
def test_a_foreign_error_keeps_its_words(body, message):
    """A proxy's page and a web framework's JSON are quoted, and are not well formed."""
    assert foreign_error(502, body) == ReadError(message, well_formed=False)


def test_a_long_message_is_cut():
    """An error of a megabyte does not get into every report."""
    error = error_in({"error": "x" * 1_000_000}, in_band=False)
    assert error is not None
    assert len(error.message) < 10_000
