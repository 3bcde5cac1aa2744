"""Events reach whoever listens and keeps up; who comes back hears what was missed."""

import json

import pytest

from supervisor.web.events import MISSED, MOST_KEPT, MOST_LISTENERS, MOST_WAITING, Events
from supervisor.web.problem import NotReadyError


async def taken(listener):
    """Take what waits, without waiting."""
    return [await listener.next() for _ in range(listener.behind)]


async def names(listener):
    """Name what waits."""
    return [event.name for event in await taken(listener)]


@pytest.fixture
def events() -> Events:
    """Those of one run."""
    return Events("run1")


async def test_a_listener_hears_what_happens_from_then_on(events):
    """And nothing from before; in order."""
    events.tell("before", {})
    with events.listen() as listener:
        events.tell("one", {"a": 1})
        events.tell("two", {})
        assert await names(listener) == ["one", "two"]


async def test_a_campaign_is_heard_from_its_beginning_and_alone(events):
    """Who has just begun it has missed nothing, and is not told of others."""
    events.tell("drill.started", {}, campaign="c1")
    events.tell("drill.started", {}, campaign="c2")
    events.tell("alert", {})
    with events.listen(campaign="c1") as listener:
        events.tell("drill.ended", {}, campaign="c1")
        events.tell("drill.ended", {}, campaign="c2")
        heard = await taken(listener)
    assert [(event.name, event.campaign) for event in heard] == [
        ("drill.started", "c1"),
        ("drill.ended", "c1"),
    ]


async def test_who_comes_back_hears_what_was_missed(events):
    """From the id of the last event that was seen."""
    seen = events.id(events.tell("one", {}))
    events.tell("two", {})
    with events.listen(seen=seen) as listener:
        events.tell("three", {})
        assert await names(listener) == ["two", "three"]


async def test_who_has_seen_everything_is_told_nothing_twice(events):
    """The newest id is followed by nothing yet."""
    seen = events.id(events.tell("one", {}))
    with events.listen(seen=seen) as listener:
        assert listener.behind == 0


@pytest.mark.parametrize("seen", ["run0-1", "run1-99", "run1-", "run1-x", "", "1", "run1-²"])
async def test_an_id_that_means_nothing_here_says_that_something_was_missed(events, seen):
    """One of another run of the daemon, say; the reader should read everything anew."""
    events.tell("one", {})
    with events.listen(seen=seen) as listener:
        assert await names(listener) == [MISSED, "one"]


async def test_who_comes_back_too_late_is_told_so(events):
    """What is kept is bounded; what is left of it is told."""
    seen = events.id(events.tell("first", {}))
    for _ in range(MOST_KEPT + 1):
        events.tell("more", {})
    with events.listen(seen=seen) as listener:
        heard = await names(listener)
    assert heard[0] == MISSED
    assert len(heard) == 1 + MOST_KEPT


async def test_a_listener_that_does_not_keep_up_is_let_go(events):
    """It can take what waits for it, and holds up neither the daemon nor the others."""
    with events.listen() as slow, events.listen() as other:
        for number in range(MOST_WAITING + 1):
            events.tell("event", {"number": number})
            await taken(other)
        assert events.listening == 1
        assert len(await taken(slow)) == MOST_WAITING
        assert await slow.next() is None
    assert events.listening == 0


async def test_more_listeners_than_there_is_room_for_are_refused(events):
    """And there is room again when one leaves."""
    doors = [events.listen() for _ in range(MOST_LISTENERS)]
    for door in doors:
        door.__enter__()
    with pytest.raises(NotReadyError), events.listen():
        pass
    doors[0].__exit__(None, None, None)
    with events.listen():
        assert events.listening == MOST_LISTENERS


async def test_when_the_daemon_stops_everybody_is_let_go(events):
    """And nobody comes in any more."""
    with events.listen() as listener:
        events.tell("last", {})
        events.close()
        events.tell("after", {})
        assert [event.name for event in [await listener.next()] if event] == ["last"]
        assert await listener.next() is None
    with pytest.raises(NotReadyError, match="stops"), events.listen():
        pass


def test_an_event_is_one_line_of_json(events):
    """With its campaign, and whatever it holds."""
    event = events.tell("drill.ended", {"text": "two\nlines", "at": NotReadyError}, campaign="c1")
    assert "\n" not in event.text
    assert json.loads(event.text)["campaign"] == "c1"
    assert "campaign" not in json.loads(events.tell("alert", {}).text)
