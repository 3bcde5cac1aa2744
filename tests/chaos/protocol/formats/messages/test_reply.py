"""Tests of whole replies of Anthropic's Messages API."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.protocol.conversation import Finish, ToolCall
from chaos.protocol.formats.messages.write import Messages
from chaos.protocol.reading import Defect, Reading
from tests.fakes.streams import defects, good_recordings, recorded

MESSAGES = Messages()
GOOD = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": "hi"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 1, "output_tokens": 2},
}
CALL = {"type": "tool_use", "id": "t", "name": "n", "input": {}}


def read(**fields):
    """Read the good reply with other *fields*; a field that is Ellipsis is left out."""
    body = {key: value for key, value in {**GOOD, **fields}.items() if value is not ...}
    return MESSAGES.read_reply(200, json.dumps(body).encode())


@given(st.integers(100, 599), st.binary(max_size=200))
def test_any_bytes_give_a_reading(status, body):
    """No body makes the reader raise."""
    assert isinstance(MESSAGES.read_reply(status, body), Reading)


@pytest.mark.parametrize("key", ["id", "content", "stop_reason", "usage", "error", "type"])
def test_deep_nesting_gives_a_reading(key):
    """A body nested beyond measure in any field is a broken body, not an exception."""
    body = f'{{"{key}": {"[" * 900 + "]" * 900}}}'
    assert isinstance(MESSAGES.read_reply(200, body.encode()), Reading)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, []),
        ({"content": ...}, [Defect.NO_OUTPUT_FIELD]),
        ({"content": None}, [Defect.NO_OUTPUT_FIELD]),
        ({"content": []}, []),
        ({"content": ["hi"]}, [Defect.WRONG_SHAPE]),
        ({"content": [{"type": "text"}]}, [Defect.WRONG_SHAPE]),
        ({"content": [{"type": "function_call"}]}, [Defect.WRONG_SHAPE]),
        ({"content": [{"type": "web_search_tool_result", "content": []}]}, []),
        ({"content": [{**CALL, "id": ""}]}, [Defect.MISSING_CALL_ID]),
        ({"content": [{**CALL, "input": "{}"}]}, [Defect.WRONG_SHAPE]),
        ({"stop_reason": None}, [Defect.NO_FINISH]),
        ({"stop_reason": "stop"}, [Defect.WRONG_SHAPE]),
        ({"usage": ...}, [Defect.WRONG_SHAPE]),
        ({"usage": {"input_tokens": "1"}}, [Defect.WRONG_SHAPE]),
        ({"id": ...}, [Defect.NO_ID]),
        ({"role": "user"}, [Defect.WRONG_SHAPE]),
        ({"type": "chat.completion"}, [Defect.WRONG_SHAPE]),
    ],
)
def test_each_broken_field_is_named(fields, expected):
    """What breaks the shape is a defect of its own kind, and nothing else is one."""
    assert defects(read(**fields)) == expected


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", Finish.STOP),
        ("stop_sequence", Finish.STOP),
        ("tool_use", Finish.TOOL_CALLS),
        ("max_tokens", Finish.LENGTH),
        ("refusal", Finish.CONTENT_FILTER),
        ("pause_turn", Finish.OTHER),
    ],
)
def test_stop_reasons_are_told_in_our_words(reason, finish):
    """Each of Anthropic's stop reasons has its meaning."""
    reading = read(stop_reason=reason)
    assert reading.finish is finish
    assert defects(reading) == []


def test_a_refusal_tells_its_words():
    """The explanation of a refusal is kept apart from the text."""
    reading = read(stop_reason="refusal", stop_details={"type": "refusal", "explanation": "No."})
    assert (reading.text, reading.refusal) == ("hi", "No.")


def test_halves_of_a_character_do_not_get_through():
    """Text can be written as UTF-8 by whoever stores it."""
    body = json.dumps({**GOOD, "content": [{"type": "text", "text": "a\ud800"}]})
    assert MESSAGES.read_reply(200, body.encode()).text == "a\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("body", "well_formed", "told"),
    [
        ('{"type":"error","error":{"type":"api_error","message":"m"}}', True, "m"),
        ('{"error":{"message":"m","type":"auth_error","param":null,"code":"401"}}', True, "m"),
        ('{"error":{"message":"m","type":null}}', False, "m"),
        ('{"error":{"type":"api_error"}}', False, '{"type":"api_error"}'),
        ('{"error":"m"}', False, "m"),
        ('{"type":"error"}', False, "an error without an error object"),
        ('{"detail":"Not Found"}', False, "Not Found"),
        ("<html>502</html>", False, "<html>502</html>"),
        ("[]", False, "[]"),
    ],
)
def test_an_error_is_well_formed_if_anthropics_sdk_reads_it(body, well_formed, told):
    """The SDKs want an error object with a message and a type, and no more."""
    error = MESSAGES.read_reply(401, body.encode()).error
    assert error is not None
    assert (error.well_formed, error.message, error.in_band) == (well_formed, told, False)


def test_an_error_inside_a_success_is_in_band():
    """An error object under status 200 is an error, and says where it was."""
    reading = MESSAGES.read_reply(200, b'{"type":"error","error":{"type":"e","message":"m"}}')
    assert reading.error is not None
    assert reading.error.in_band
    assert not reading.has_output


@pytest.mark.parametrize(
    ("body", "defect"), [(b"<html>", Defect.NOT_JSON), (b"[]", Defect.NOT_AN_OBJECT)]
)
def test_a_success_without_a_message_is_a_defect(body, defect):
    """A page or a list under status 200 is no error that anybody told, but broken."""
    reading = MESSAGES.read_reply(200, body)
    assert reading.error is None
    assert not reading.ended
    assert defects(reading) == [defect]


@pytest.mark.parametrize("name", [n for n in good_recordings(MESSAGES) if n.endswith("_whole")])
def test_litellms_healthy_replies_are_read_without_a_defect(name):
    """What the real LiteLLM answers when all is well is well."""
    reading = recorded(MESSAGES, name)
    assert defects(reading) == []
    assert reading.error is None
    assert reading.ended
    assert reading.has_output


def test_litellms_whole_tool_call_is_read():
    """A whole reply's input becomes the arguments as JSON text."""
    reading = recorded(MESSAGES, "anthropic_good_tool_whole")
    assert reading.tool_calls == (ToolCall("toolu_lab1", "get_weather", '{"city":"Paris"}'),)
    assert reading.finish is Finish.TOOL_CALLS


def test_litellms_error_is_read():
    """LiteLLM tells a failed hop's error in Anthropic's own envelope."""
    error = recorded(MESSAGES, "openai_err429_whole").error
    assert error is not None
    assert (error.well_formed, error.type, error.in_band) == (True, "rate_limit_error", False)


def test_litellms_error_under_200_is_seen():
    """An empty 200 of vLLM becomes an error body under status 200: in band."""
    error = recorded(MESSAGES, "hosted_vllm_empty200_whole").error
    assert error is not None
    assert error.in_band


def test_litellms_swallowed_failure_shows_as_an_empty_answer():
    """A failed response of OpenAI's becomes a flawless message with nothing in it."""
    reading = recorded(MESSAGES, "openai_inband_first_whole")
    assert (reading.error, reading.finish, reading.has_output) == (None, Finish.STOP, False)
