"""Whole replies of Bedrock's Converse API, read strictly."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.protocol.conversation import Finish
from chaos.protocol.formats.converse.reply import read_converse_reply
from chaos.protocol.reading import Defect, ReadError
from tests.fakes.streams import defects

GOOD = {
    "output": {"message": {"role": "assistant", "content": [{"text": "hello"}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7},
}


def read(body):
    """Read *body* as a reply of status 200."""
    return read_converse_reply(200, json.dumps(body).encode())


def test_a_good_reply_has_no_defect():
    """Text, finish and usage are read."""
    reading = read(GOOD)
    assert (reading.text, reading.finish, reading.defects) == ("hello", Finish.STOP, ())
    assert reading.usage is not None
    assert (reading.usage.input_tokens, reading.usage.output_tokens) == (3, 4)


@pytest.mark.parametrize(
    ("change", "defect"),
    [
        ({"output": {}}, Defect.WRONG_SHAPE),
        ({"stopReason": None}, Defect.NO_FINISH),
        ({"usage": {"inputTokens": "3", "outputTokens": 4}}, Defect.WRONG_SHAPE),
        ({"output": {"message": {"role": "user", "content": []}}}, Defect.WRONG_SHAPE),
    ],
)
def test_a_missing_field_is_a_defect(change, defect):
    """What the service model requires has to be there."""
    assert defect in defects(read({**GOOD, **change}))


def test_a_call_without_id_is_a_defect():
    """A tool use that cannot be answered is noted, and read nevertheless."""
    use = {"toolUse": {"name": "f", "input": {"a": 1}}}
    reading = read({**GOOD, "output": {"message": {"role": "assistant", "content": [use]}}})
    assert defects(reading) == [Defect.MISSING_CALL_ID]
    assert reading.tool_calls[0].arguments == '{"a":1}'


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("guardrail_intervened", Finish.CONTENT_FILTER),
        ("max_tokens", Finish.LENGTH),
        ("malformed_tool_use", Finish.OTHER),
    ],
)
def test_reasons_to_stop_are_translated(reason, finish):
    """Bedrock's words for the end become ours."""
    assert read({**GOOD, "stopReason": reason}).finish is finish


def test_an_error_is_read_from_its_message():
    """An error of Bedrock's is well formed by its message alone."""
    reading = read_converse_reply(429, b'{"message":"Too many requests"}')
    assert reading.error == ReadError("Too many requests", status=429)


def test_an_error_in_another_envelope_is_not_well_formed():
    """A proxy's page or OpenAI's envelope is an error, but not Bedrock's."""
    for body in (b"<html>bad gateway</html>", b'{"error":{"message":"x"}}', b"[1]"):
        error = read_converse_reply(502, body).error
        assert error is not None
        assert not error.well_formed


def test_an_error_with_status_200_is_in_band():
    """A message where an output should be is an error inside a success."""
    error = read({"message": "no"}).error
    assert error is not None
    assert error.in_band


@pytest.mark.parametrize(
    ("body", "defect"),
    [
        (b"<html>", Defect.NOT_JSON),
        (b"[]", Defect.NOT_AN_OBJECT),
        (b"{}", Defect.NO_OUTPUT_FIELD),
    ],
)
def test_a_success_that_is_none_is_a_defect(body, defect):
    """A 200 without a reply is named for what it is."""
    assert defects(read_converse_reply(200, body)) == [defect]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["output", "message", "content", "toolUse", "text", "usage", "stopReason"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    st.sampled_from([200, 400, 503]),
    st.binary(max_size=60) | _JSON.map(lambda v: json.dumps(v).encode()),
)
def test_no_bytes_make_it_raise(status, body):
    """Whatever comes is a reading, and its text can be written."""
    read_converse_reply(status, body).text.encode()
