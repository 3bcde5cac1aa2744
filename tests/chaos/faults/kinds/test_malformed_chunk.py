"""A stream with an event that nobody can read."""

import pytest

from chaos.faults.kinds.malformed_chunk import MalformedChunk
from chaos.faults.opening import open_reply
from chaos.faults.script import Send
from tests.fakes.scenes import VOICES, body_of, head_of, read, scene


@pytest.mark.parametrize("voice", VOICES)
def test_text_comes_and_then_nonsense(voice):
    """A strict client has read some text, found a defect, and was given no end."""
    on_stage = scene(voice)
    reading = read(on_stage, MalformedChunk().script(on_stage))
    assert reading.text
    assert reading.defects
    assert reading.finish is None
    assert reading.error is None


def test_the_half_is_a_whole_event():
    """Framing is good, the JSON in it is not."""
    last = MalformedChunk().script(scene()).steps[-1]
    assert isinstance(last, Send)
    assert last.data.startswith(b'data: {"id"')
    assert last.data.endswith(b"\n\n")
    assert not last.data.rstrip().endswith(b"}")


def test_the_name_of_an_event_stays():
    """Where events are named, the name is whole and its data are not."""
    last = MalformedChunk().script(scene(("anthropic", "messages"))).steps[-1]
    assert isinstance(last, Send)
    assert last.data.startswith(b"event: content_block_delta\ndata: {")


def test_a_frame_without_text_has_a_wrong_byte():
    """In a binary framing the length is right and the checksum is not."""
    on_stage = scene(("bedrock", "converse"))
    last = MalformedChunk().script(on_stage).steps[-1]
    good = open_reply(on_stage).rest[0].data
    assert isinstance(last, Send)
    assert len(last.data) == len(good)
    assert sum(one != other for one, other in zip(last.data, good, strict=True)) == 1


def test_where_a_line_is_an_event_half_of_it_is_a_line():
    """Ollama's stream has no framing but the end of the line."""
    last = MalformedChunk().script(scene(("ollama", "ollama_chat"))).steps[-1]
    assert isinstance(last, Send)
    assert last.data.startswith(b'{"model":')
    assert last.data.count(b"\n") == 1
    assert not last.data.endswith(b"}\n")


def test_a_whole_reply_is_half_its_json():
    """Where the provider was asked for a whole reply, its body breaks off."""
    script = MalformedChunk().script(scene(stream=False))
    assert head_of(script) == (200, "application/json")
    assert not body_of(script).endswith(b"}")


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("voice", VOICES)
def test_who_skips_the_spoilt_event_may_have_the_whole_answer(voice, stream):
    """With ``then_whole`` the good stream comes whole, with one event too many in its middle."""
    on_stage = scene(voice, variant="then_whole", stream=stream)
    sent = [s.data for s in MalformedChunk().script(on_stage).steps if isinstance(s, Send)]
    good = [piece.data for piece in on_stage.pieces()]
    if not on_stage.call.stream:
        assert b"".join(good).startswith(b"".join(sent))
        return
    extra = sent[: len(open_reply(on_stage).steps) // 2 + 1][-1]
    assert sent.count(extra) == 1
    assert [data for data in sent if data is not extra] == good
    assert read(on_stage, MalformedChunk().script(on_stage)).defects
