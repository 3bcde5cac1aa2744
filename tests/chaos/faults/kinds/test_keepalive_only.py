"""A stream that is kept alive and says nothing."""

import pytest

from chaos.faults.kinds.keepalive_only import KeepaliveOnly
from chaos.faults.script import Head, Repeat, Silence
from tests.fakes.scenes import VOICES, head_of, scene


@pytest.mark.parametrize("voice", VOICES)
@pytest.mark.parametrize("variant", [None, "ping"])
def test_nothing_of_an_answer_is_said(voice, variant):
    """A success, then comments or pings for ever; a binary framing has neither, and is silent."""
    on_stage = scene(voice, variant=variant)
    head, last = KeepaliveOnly().script(on_stage).steps
    assert isinstance(head, Head)
    if "event-stream" in on_stage.content_type and "amazon" not in on_stage.content_type:
        assert isinstance(last, Repeat)
        reader = on_stage.call.format.stream_reader()
        reader.feed(last.data * 3)
        assert not reader.has_output
    else:
        assert isinstance(last, Silence)


def test_a_comment_is_no_event_and_a_ping_is_one():
    """By default no client sees an event at all; the variant sends Anthropic's."""
    comment, ping = (
        KeepaliveOnly().script(scene(("anthropic", "messages"), variant=variant)).steps[-1]
        for variant in (None, "ping")
    )
    assert isinstance(comment, Repeat)
    assert isinstance(ping, Repeat)
    assert comment.data.startswith(b": ")
    assert ping.data.startswith(b"event: ping\n")


def test_a_whole_reply_is_kept_alive_by_empty_lines():
    """Where the provider is asked for a whole reply, white space comes instead of its JSON."""
    script = KeepaliveOnly().script(scene(stream=False))
    last = script.steps[-1]
    assert isinstance(last, Repeat)
    assert last.data.strip() == b""
    assert head_of(script) == (200, "application/json")
