"""Gemini's embeddings, asked and answered."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.protocol.conversation import Answer, Ask
from chaos.protocol.formats.gemini_embeddings import GeminiEmbedContent, GeminiEmbeddings
from chaos.protocol.reading import Defect
from tests.fakes.recorded_requests import request_bodies
from tests.fakes.streams import defects, read_stream

BATCH, SINGLE = GeminiEmbeddings(), GeminiEmbedContent()


def test_a_batch_is_read_again():
    """Every text and the size survive the way over the wire."""
    ask = Ask(inputs=("a", "b"), dimensions=8)
    assert BATCH.read_ask(BATCH.write_ask(ask, model="m", stream=False)) == ask


def test_one_content_is_read_again():
    """The single call keeps its text and size."""
    ask = Ask(inputs=("a",), dimensions=8)
    assert SINGLE.read_ask(SINGLE.write_ask(ask, model="m", stream=False)) == ask


def test_a_request_of_litellm_is_understood():
    """The texts of the recorded requests are found."""
    several, *_ = request_bodies("gemini/text-embedding-004 emb list")
    assert BATCH.read_ask(several) == Ask(inputs=("a nonce", "b"))


def test_answers_are_read_again():
    """A good reply has one vector for each text, or one in all."""
    answer = Answer(vectors=((0.5, 1.0, 2.0), (1.0, 2.0, 3.0)))
    (several,) = BATCH.write_answer(answer, model="m", stream=False)
    (one,) = SINGLE.write_answer(answer, model="m", stream=False)
    assert BATCH.read_reply(200, several.data).vector_sizes == (3, 3)
    assert SINGLE.read_reply(200, one.data).vector_sizes == (3,)
    assert BATCH.read_reply(200, several.data).defects == ()


@pytest.mark.parametrize(
    ("body", "defect"),
    [
        ({}, Defect.NO_OUTPUT_FIELD),
        ([], Defect.NOT_AN_OBJECT),
        ({"embeddings": [{}]}, Defect.WRONG_SHAPE),
        ({"embeddings": [{"values": ["a"]}]}, Defect.WRONG_SHAPE),
        ({"embeddings": [5]}, Defect.WRONG_SHAPE),
    ],
)
def test_what_breaks_the_form_is_named(body, defect):
    """Each way of breaking the form has its defect."""
    assert defect in defects(BATCH.read_reply(200, json.dumps(body).encode()))


def test_errors_are_read():
    """An error has Google's envelope; inside a success it is in band."""
    error = {"error": {"code": 402, "message": "no credits", "status": "RESOURCE_EXHAUSTED"}}
    outside = BATCH.read_reply(402, json.dumps(error).encode()).error
    inside = BATCH.read_reply(200, BATCH.write_error_event(error)).error
    assert outside is not None
    assert inside is not None
    assert (outside.status, outside.in_band, inside.in_band) == (402, False, True)


def test_no_media_type_is_a_stream():
    """Embeddings are JSON, whatever is asked for."""
    assert BATCH.content_type(stream=True).startswith("application/json")


@given(st.sampled_from([200, 500]), st.binary(max_size=60))
def test_no_bytes_make_it_raise(status, body):
    """Whatever comes is a reading."""
    for wire_format in (BATCH, SINGLE):
        wire_format.read_reply(status, body)
        read_stream(wire_format, body)
