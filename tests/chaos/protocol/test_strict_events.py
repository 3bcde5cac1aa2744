"""Tests of taking the events out of a reply."""

import pytest

from chaos.protocol.json.defects import Defects
from chaos.protocol.reading import Defect
from chaos.protocol.sse import SseEvent
from chaos.protocol.strict_events import StrictEvents


def closed(data: bytes) -> tuple[bytes | None, list[Defect]]:
    """Read *data* as one stream: what came instead, and what was wrong."""
    log = Defects()
    events = StrictEvents(log)
    events.feed(data)
    return events.close(), [found.defect for found in log.found]


@pytest.mark.parametrize("data", [b"", b": keep-alive\n\n", b"data: {}\n\n", b"event: a\n"])
def test_an_event_stream_is_one_even_when_it_is_empty(data):
    """Nothing, comments, events and the beginning of one are all event streams."""
    other, _ = closed(data)
    assert other is None


@pytest.mark.parametrize("body", [b'{"error": {}}', b"<html></html>"])
def test_another_body_is_returned_and_noted(body):
    """JSON or a proxy's page in place of events is told, and kept to be read."""
    assert closed(body) == (body, [Defect.WRONG_SHAPE])


@pytest.mark.parametrize(
    ("data", "defect"),
    [
        (b"data: {}\n\ndata: {", Defect.TRUNCATED_EVENT),
        (b"data: {}\nnonsense\n\n", Defect.WRONG_SHAPE),
        (b"data: " + b"x" * (9 << 20) + b"\n\n", Defect.WRONG_SHAPE),
    ],
)
def test_what_is_wrong_with_the_stream_itself_is_noted(data, defect):
    """An event without its end, lines of no field and events too long are defects."""
    assert closed(data) == (None, [defect])


@pytest.mark.parametrize(
    ("data", "defect"), [("{", Defect.EVENT_NOT_JSON), ("[]", Defect.NOT_AN_OBJECT)]
)
def test_an_event_has_to_be_an_object(data, defect):
    """A payload that is no JSON object is a defect, and nothing is made of it."""
    log = Defects()
    assert StrictEvents(log).read(SseEvent("a", data)) is None
    assert [found.defect for found in log.found] == [defect]


def test_a_name_and_a_type_have_to_agree():
    """The type tells the kind; a name that says otherwise, or no type, is a defect."""
    log = Defects()
    events = StrictEvents(log)
    assert events.kind(SseEvent(None, ""), {"type": "a"}) == "a"
    assert not log.found
    assert events.kind(SseEvent("b", ""), {"type": "a"}) == "a"
    assert events.kind(SseEvent("b", ""), {}) == "b"
    assert [found.defect for found in log.found] == [Defect.WRONG_SHAPE] * 2
