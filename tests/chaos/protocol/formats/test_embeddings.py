"""Embeddings: what is written is read back, and LiteLLM's own replies are read right."""

import base64
import json
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.protocol.conversation import Answer, Ask
from chaos.protocol.formats.embeddings import Embeddings
from chaos.protocol.reading import Defect, Usage
from tests.fakes.examples import cut, replies, split_places
from tests.fakes.recorded_replies import RECORDED, read_recorded

EMBEDDINGS = Embeddings()
vectors = st.lists(st.lists(st.floats(-1, 1), min_size=1, max_size=4).map(tuple), min_size=1)


def read(body, status=200):
    """Read *body* as JSON."""
    return EMBEDDINGS.read_reply(status, json.dumps(body).encode())


def data(*embeddings):
    """Write a reply with these embeddings, in order."""
    return {
        "data": [{"index": place, "embedding": item} for place, item in enumerate(embeddings)],
        "model": "m",
    }


@given(
    st.builds(
        Ask,
        inputs=st.lists(st.text(max_size=20), max_size=4).map(tuple),
        dimensions=st.none() | st.integers(1, 4096),
    )
)
def test_an_ask_is_read_back_as_it_was_written(ask):
    """Nothing that an ask holds is lost or changed on the wire."""
    body = json.loads(json.dumps(EMBEDDINGS.write_ask(ask, model="m", stream=False)))
    assert EMBEDDINGS.read_ask(body) == ask


def test_a_request_is_written_as_openai_documents_it():
    """The body names model, input and the encoding of numbers, and what a profile adds."""
    ask = Ask(inputs=("a", "b"), dimensions=8, extra={"user": "u"})
    assert EMBEDDINGS.write_ask(ask, model="m", stream=True) == {
        "model": "m",
        "input": ["a", "b"],
        "encoding_format": "float",
        "dimensions": 8,
        "user": "u",
    }


@pytest.mark.parametrize(
    ("body", "inputs"),
    [
        ({"input": "a"}, ("a",)),
        ({"input": ["a", "b"], "encoding_format": "base64"}, ("a", "b")),
        ({"input": [1, 2]}, ("", "")),
        ({"input": None}, ()),
        ({}, ()),
    ],
)
def test_a_request_of_a_gateway_is_read_leniently(body, inputs):
    """One text is a list of one, and what is no text is counted, not read."""
    assert EMBEDDINGS.read_ask(body).inputs == inputs


@given(vectors, split_places)
def test_an_answer_is_read_back_whatever_the_split(made, places):
    """Every vector has its size in the reading, also through the reader for pieces."""
    answer = Answer(vectors=tuple(made), input_tokens=5)
    (piece,) = EMBEDDINGS.write_answer(answer, model="m", stream=True)
    reader = EMBEDDINGS.stream_reader()
    for part in cut(piece.data, places):
        reader.feed(part)
    reading = reader.close()
    assert reading == EMBEDDINGS.read_reply(200, piece.data)
    assert (tuple(map(len, made)), (), ("m",), Usage(5, None)) == (
        reading.vector_sizes,
        reading.defects,
        reading.models,
        reading.usage,
    )
    assert reader.has_output


def test_a_vector_in_base64_is_measured():
    """Clients of OpenAI's library ask for base64 of four bytes a number."""
    packed = base64.b64encode(struct.pack("<3f", 1, 2, 3)).decode()
    reading = read(data(packed))
    assert (reading.vector_sizes, reading.defects) == ((3,), ())


@pytest.mark.parametrize(
    ("body", "defect"),
    [
        ({}, Defect.NO_OUTPUT_FIELD),
        ({"data": []}, Defect.NO_OUTPUT_FIELD),
        ([], Defect.NOT_AN_OBJECT),
        ({"data": [1]}, Defect.WRONG_SHAPE),
        ({"data": [{"index": 0}]}, Defect.WRONG_SHAPE),
        ({"data": [{"index": 1, "embedding": [1]}]}, Defect.INDEX_GAP),
        ({"data": [{"embedding": [1]}]}, Defect.WRONG_SHAPE),
        (data([1, "x"]), Defect.WRONG_SHAPE),
        (data([True]), Defect.WRONG_SHAPE),
        (data("AAA"), Defect.WRONG_SHAPE),
        (data("ü"), Defect.WRONG_SHAPE),
        (data("AAAA"), Defect.WRONG_SHAPE),
    ],
)
def test_a_broken_form_is_a_defect(body, defect):
    """Each way to break the format has its name."""
    assert read(body).has(defect)


def test_an_empty_vector_has_the_size_zero():
    """An embedding without numbers shows in its size."""
    assert read(data([1.0], [])).vector_sizes == (1, 0)


def test_an_error_inside_a_success_is_in_band():
    """A status of 200 does not hide an error, as a fault writes it."""
    error = EMBEDDINGS.read_reply(200, EMBEDDINGS.write_error_event({"message": "m"})).error
    assert error is not None
    assert (error.message, error.in_band) == ("m", True)


@given(
    st.integers(100, 599), replies.map(lambda r: json.dumps(r).encode()) | st.binary(max_size=60)
)
def test_any_body_gives_a_reading(status, body):
    """No status and no bytes make the reader raise, and no failing status passes for good."""
    reading = EMBEDDINGS.read_reply(status, body)
    assert reading.error is not None or 200 <= status < 300


@given(replies)
def test_any_data_gives_a_reading(value):
    """No content of ``data`` makes the reader raise."""
    read({"data": value, "usage": value, "model": value})
    read({"data": [{"index": value, "embedding": value}]})


@pytest.mark.parametrize("provider", ["hosted_vllm", "openai", "gemini"])
def test_good_embeddings_of_litellm_have_no_defect(provider):
    """Embeddings of any provider through LiteLLM read whole."""
    reading = read_recorded("embeddings", f"{provider}_good_text_whole", EMBEDDINGS)
    assert (reading.vector_sizes, reading.defects, reading.error) == ((3,), (), None)


@pytest.mark.parametrize(
    ("name", "status"), [("openai_err401_whole", 401), ("hosted_vllm_empty200_whole", 500)]
)
def test_an_error_of_litellm_is_well_formed(name, status):
    """LiteLLM's errors have the envelope on this surface too."""
    error = read_recorded("embeddings", name, EMBEDDINGS).error
    assert error is not None
    assert (True, status) == (error.well_formed, error.status)


def test_every_recording_of_errors_is_read_by_a_test():
    """No recording lies about unread."""
    text = Path(__file__).read_text(encoding="utf-8")
    names = [path.stem for path in (RECORDED / "embeddings").glob("*.json")]
    assert names
    assert [name for name in names if name not in text and "good_text" not in name] == []
