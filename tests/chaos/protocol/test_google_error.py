"""Google's error envelope, read strictly."""

from chaos.protocol.google_error import read_google_error
from chaos.protocol.reading import ReadError

BODY = {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}


def test_the_envelope_is_read():
    """Message, status name and code come from the body."""
    assert read_google_error(503, BODY) == ReadError(
        "The model is overloaded.", type="UNAVAILABLE", code="503", status=503
    )


def test_an_error_in_a_stream_is_marked():
    """An error inside a 200 is in band, with the status that it names itself."""
    error = read_google_error(None, BODY, in_band=True)
    assert (error.in_band, error.status) == (True, 503)


def test_a_list_of_one_error_is_an_error():
    """A stream without alt=sse fails with a list of one."""
    assert read_google_error(503, [BODY]) == read_google_error(503, BODY)


def test_another_envelope_is_not_well_formed():
    """OpenAI's envelope, text and nonsense are errors, but not Google's."""
    for body in ({"error": {"message": "x", "type": "y"}}, "<html>", {"error": "x"}, None, [1, 2]):
        error = read_google_error(500, body)
        assert not error.well_formed
        assert error.status == 500
