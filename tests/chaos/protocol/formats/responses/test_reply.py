"""Tests of whole replies of OpenAI's Responses API."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.protocol.conversation import Finish, ToolCall
from chaos.protocol.formats.responses.write import Responses
from chaos.protocol.reading import Defect, Reading, Usage
from tests.fakes.streams import defects, good_recordings, recorded

RESPONSES = Responses()
TEXT = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "hi"}]}
CALL = {"type": "function_call", "call_id": "c", "name": "n", "arguments": "{}"}
GOOD = {
    "id": "resp_1",
    "object": "response",
    "status": "completed",
    "model": "m",
    "output": [TEXT],
    "usage": {
        "input_tokens": 1,
        "output_tokens": 2,
        "output_tokens_details": {"reasoning_tokens": 1},
    },
}


def read(**fields):
    """Read the good reply with other *fields*; a field that is Ellipsis is left out."""
    body = {key: value for key, value in {**GOOD, **fields}.items() if value is not ...}
    return RESPONSES.read_reply(200, json.dumps(body).encode())


@given(st.integers(100, 599), st.binary(max_size=200))
def test_any_bytes_give_a_reading(status, body):
    """No body makes the reader raise."""
    assert isinstance(RESPONSES.read_reply(status, body), Reading)


@pytest.mark.parametrize("key", ["id", "output", "status", "usage", "error", "object"])
@pytest.mark.parametrize("status", [200, 500])
def test_deep_nesting_gives_a_reading(key, status):
    """A body nested beyond measure in any field is a broken body, not an exception."""
    body = f'{{"{key}": {"[" * 900 + "]" * 900}}}'
    assert isinstance(RESPONSES.read_reply(status, body.encode()), Reading)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, []),
        ({"output": ...}, [Defect.NO_OUTPUT_FIELD]),
        ({"output": None}, [Defect.NO_OUTPUT_FIELD]),
        ({"output": []}, []),
        ({"output": ["hi"]}, [Defect.WRONG_SHAPE]),
        ({"output": [{**TEXT, "content": "hi"}]}, [Defect.WRONG_SHAPE]),
        ({"output": [{**TEXT, "content": [{"type": "text"}]}]}, [Defect.WRONG_SHAPE]),
        ({"output": [{"type": "tool_use"}]}, [Defect.WRONG_SHAPE]),
        ({"output": [{"type": "web_search_call"}]}, []),
        ({"output": [{**CALL, "call_id": None}]}, [Defect.MISSING_CALL_ID]),
        ({"output": [{**CALL, "arguments": {}}]}, [Defect.WRONG_SHAPE]),
        ({"status": ...}, [Defect.NO_FINISH]),
        ({"status": "in_progress"}, [Defect.NO_FINISH]),
        ({"status": "stop"}, [Defect.WRONG_SHAPE, Defect.NO_FINISH]),
        ({"usage": {"input_tokens": "1"}}, [Defect.WRONG_SHAPE]),
        ({"usage": None}, []),
        ({"id": ...}, [Defect.NO_ID]),
        ({"object": "chat.completion"}, [Defect.WRONG_SHAPE]),
    ],
)
def test_each_broken_field_is_named(fields, expected):
    """What breaks the shape is a defect of its own kind, and nothing else is one."""
    assert defects(read(**fields)) == expected


@pytest.mark.parametrize(
    ("fields", "finish"),
    [
        ({}, Finish.STOP),
        ({"output": [TEXT, CALL]}, Finish.TOOL_CALLS),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
            Finish.LENGTH,
        ),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}},
            Finish.CONTENT_FILTER,
        ),
        ({"status": "incomplete"}, Finish.OTHER),
        ({"status": "cancelled"}, Finish.OTHER),
    ],
)
def test_statuses_are_told_in_our_words(fields, finish):
    """Each final status has its meaning."""
    reading = read(**fields)
    assert reading.finish is finish
    assert defects(reading) == []


def test_every_kind_of_output_is_read():
    """Reasoning, refusals, calls and usage each have their place."""
    reading = read(
        output=[
            {
                "type": "reasoning",
                "summary": [{"type": "summary_text", "text": "h"}],
                "content": [{"type": "reasoning_text", "text": "m"}],
            },
            {**TEXT, "content": [{"type": "refusal", "refusal": "No."}]},
            CALL,
        ]
    )
    assert (reading.reasoning, reading.refusal, reading.text) == ("hm", "No.", "")
    assert reading.tool_calls == (ToolCall("c", "n", "{}"),)
    assert reading.usage == Usage(1, 2, 1)


@pytest.mark.parametrize(
    ("error", "well_formed"),
    [
        ({"code": "server_error", "message": "m"}, True),
        ({"code": None, "message": "m"}, False),
        ({"code": "server_error"}, False),
        ("m", False),
        (None, False),
    ],
)
def test_a_failed_response_is_an_error_in_band(error, well_formed):
    """Status failed under HTTP 200 is an error, and no answer's end."""
    reading = read(status="failed", error=error, output=[])
    assert reading.error is not None
    assert (reading.error.in_band, reading.error.well_formed) == (True, well_formed)
    assert (reading.finish, defects(reading)) == (None, [])


@pytest.mark.parametrize(
    ("body", "told"), [(b"<html>502</html>", "<html>502</html>"), (b'{"detail":"No"}', "No")]
)
def test_a_foreign_error_is_not_well_formed(body, told):
    """What has not OpenAI's envelope is told all the same."""
    error = RESPONSES.read_reply(502, body).error
    assert error is not None
    assert (error.message, error.well_formed) == (told, False)


@pytest.mark.parametrize(
    ("body", "defect"), [(b"<html>", Defect.NOT_JSON), (b"[]", Defect.NOT_AN_OBJECT)]
)
def test_a_success_without_a_response_is_a_defect(body, defect):
    """A page or a list under status 200 is no error that anybody told, but broken."""
    reading = RESPONSES.read_reply(200, body)
    assert reading.error is None
    assert not reading.ended
    assert defects(reading) == [defect]


@pytest.mark.parametrize("name", [n for n in good_recordings(RESPONSES) if n.endswith("_whole")])
def test_litellms_healthy_replies_are_read_without_a_defect(name):
    """What the real LiteLLM answers when all is well is well."""
    reading = recorded(RESPONSES, name)
    assert defects(reading) == []
    assert reading.error is None
    assert reading.ended
    assert reading.has_output


def test_litellms_error_is_read():
    """LiteLLM tells a failed hop's error in OpenAI's envelope, with the status as its code."""
    error = recorded(RESPONSES, "openai_err429_whole").error
    assert error is not None
    assert (error.well_formed, error.status, error.in_band) == (True, 429, False)


def test_litellms_failed_response_is_seen():
    """A failed response passes through LiteLLM under status 200."""
    error = recorded(RESPONSES, "openai_inband_first_whole").error
    assert error is not None
    assert (error.code, error.in_band) == ("server_error", True)
