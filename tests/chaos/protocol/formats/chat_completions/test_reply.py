"""Whole replies of chat completions, read strictly."""

import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.protocol.conversation import Finish, ToolCall
from chaos.protocol.formats.chat_completions.reply import read_completion
from chaos.protocol.reading import Defect
from tests.fakes.examples import replies

MESSAGE = {"role": "assistant", "content": "Paris"}
FUNCTION = {"name": "f", "arguments": "{}"}


def body(message=MESSAGE, finish="stop", **other):
    """Write a good reply, but for what the test changes."""
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return {"id": "x", "model": "m", "choices": [choice]} | other


def read(reply, status=200):
    """Read *reply* as JSON."""
    return read_completion(status, json.dumps(reply).encode())


def calling(**call):
    """Write a reply with one tool call."""
    return body({"role": "assistant", "content": None, "tool_calls": [call]}, "tool_calls")


@pytest.mark.parametrize(
    ("reply", "defect"),
    [
        ({"id": "x", "choices": []}, Defect.NO_OUTPUT_FIELD),
        ({}, Defect.NO_OUTPUT_FIELD),
        ([], Defect.NOT_AN_OBJECT),
        (body(finish=None), Defect.NO_FINISH),
        (body(finish=7), Defect.WRONG_SHAPE),
        (body(None), Defect.WRONG_SHAPE),
        (body(id=None), Defect.NO_ID),
        (body(choices=["x"]), Defect.WRONG_SHAPE),
        (body(choices=body()["choices"] * 2), Defect.WRONG_SHAPE),
        (body({"content": ["no"]}), Defect.WRONG_SHAPE),
        (body({"content": "a", "tool_calls": {}}), Defect.WRONG_SHAPE),
        (body({"content": None, "function_call": FUNCTION}), Defect.WRONG_SHAPE),
        (calling(type="function", function=FUNCTION), Defect.MISSING_CALL_ID),
        (calling(id="", function=FUNCTION), Defect.MISSING_CALL_ID),
        (calling(id="c", function={"arguments": "{}"}), Defect.WRONG_SHAPE),
        (calling(id="c", function={"name": "f", "arguments": {"a": 1}}), Defect.WRONG_SHAPE),
        (calling(id="c"), Defect.WRONG_SHAPE),
    ],
)
def test_a_broken_form_is_a_defect(reply, defect):
    """Each way to break the format has its name."""
    assert read(reply).has(defect)


@pytest.mark.parametrize(
    "reply",
    [
        body(),
        body({"role": "assistant", "content": None, "tool_calls": None, "refusal": None}),
        body(error=None, usage=None),
        calling(id="c", type="function", function=FUNCTION),
    ],
)
def test_null_in_place_of_nothing_is_no_defect(reply):
    """Servers write null for what is not there."""
    assert read(reply).defects == ()


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_reasoning_is_read_by_both_names(field):
    """The names of vLLM and of DeepSeek mean the same, and the text stays apart from it."""
    reading = read(body({"content": "a", field: "b"}))
    assert (reading.text, reading.reasoning) == ("a", "b")


def test_reasoning_under_both_names_is_read_once():
    """A gateway that writes both names does not double the text."""
    reading = read(body({"content": "a", "reasoning": "b", "reasoning_content": "b"}))
    assert reading.reasoning == "b"


def test_a_refusal_is_no_text():
    """What the format marks as refusal does not count as output."""
    reading = read(body({"content": None, "refusal": "I cannot."}))
    assert (reading.refusal, reading.has_output) == ("I cannot.", False)


@pytest.mark.parametrize(
    ("told", "finish"),
    [
        ("stop", Finish.STOP),
        ("length", Finish.LENGTH),
        ("tool_calls", Finish.TOOL_CALLS),
        ("function_call", Finish.TOOL_CALLS),
        ("content_filter", Finish.CONTENT_FILTER),
        ("eos", Finish.STOP),
        ("abort", Finish.OTHER),
    ],
)
def test_the_reason_to_end_is_read(told, finish):
    """Every reason has our word for it, and an unknown one is not lost."""
    assert read(body(finish=told)).finish is finish


def test_text_in_parts_is_read_and_noted():
    """A list of parts is not what the format says, and its text is there all the same."""
    reading = read(body({"content": [{"type": "text", "text": "a"}, {"text": "b"}]}))
    assert (reading.text, reading.has(Defect.WRONG_SHAPE)) == ("ab", True)


def test_arguments_that_are_an_object_stay_readable():
    """Broken arguments are told as the JSON text that they should have been."""
    reading = read(calling(id="c", function={"name": "f", "arguments": {"a": 1}}))
    assert reading.tool_calls == (ToolCall("c", "f", '{"a": 1}'),)


def test_the_engines_own_mark_is_kept():
    """The fingerprint travels with the reading."""
    assert read(body(system_fingerprint="vllm-1")).fingerprint == "vllm-1"


@pytest.mark.parametrize(
    ("status", "reply", "well_formed", "message"),
    [
        (500, b"<html>Bad gateway</html>", False, "<html>Bad gateway</html>"),
        (502, b"", False, "HTTP 502"),
        (500, b'{"error": "Unauthorized"}', False, "Unauthorized"),
        (422, b'{"detail": "Not Found"}', False, "Not Found"),
        (500, b"[]", False, "[]"),
        (302, b"", False, "HTTP 302"),
        (
            400,
            b'{"error": {"message": "m", "type": null, "param": null, "code": null}}',
            True,
            "m",
        ),
    ],
)
def test_a_failing_status_is_an_error_whatever_its_body(status, reply, well_formed, message):
    """A reply that is no success tells of an error, in the envelope or not."""
    error = read_completion(status, reply).error
    assert error is not None
    assert (well_formed, message, False) == (error.well_formed, error.message, error.in_band)


@pytest.mark.parametrize(
    "reply",
    [
        {"error": {"message": "m", "code": 429}},
        body(error={"message": "m", "code": 429}),
        {"choices": [{"error": {"message": "m", "code": 429}, "finish_reason": "error"}]},
    ],
)
def test_an_error_inside_a_success_is_in_band(reply):
    """A status of 200 does not hide the error in its body or in its choice."""
    error = read(reply).error
    assert error is not None
    assert (
        error.message,
        error.status,
        error.in_band,
        error.well_formed,
    ) == ("m", 429, True, False)


def test_a_choice_that_ended_by_an_error_is_one():
    """A finish reason of ``error`` is an error, also without a word about it."""
    error = read(body(finish="error")).error
    assert error is not None
    assert error.in_band


@pytest.mark.parametrize("reply", [b"", b"data: {}\n\n", b"<html>", b'{"id": NaN}', b"[" * 99999])
def test_what_is_not_json_is_a_defect(reply):
    """A success whose body is no JSON is broken, and no error."""
    reading = read_completion(200, reply)
    assert (reading.has(Defect.NOT_JSON), reading.error, reading.ended) == (True, None, False)


@given(
    st.integers(100, 599), st.binary(max_size=80) | replies.map(lambda r: json.dumps(r).encode())
)
def test_any_body_gives_a_reading(status, reply):
    """No status and no bytes make the reader raise, and no failing status passes for good."""
    reading = read_completion(status, reply)
    assert reading.error is not None or 200 <= status < 300
    # Half a surrogate pair would make whoever writes the report raise.
    assert json.dumps(asdict(reading), ensure_ascii=False).encode()


@given(replies)
def test_any_message_gives_a_reading(message):
    """No content of a choice makes the reader raise."""
    read({"id": "x", "choices": [{"message": message, "finish_reason": message}]})
