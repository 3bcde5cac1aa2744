"""A stream whose first event is an error."""

import pytest

from chaos.faults.kinds.stream_error_first import StreamErrorFirst
from tests.fakes.scenes import VOICES, body_of, head_of, read, scene


@pytest.mark.parametrize("voice", VOICES)
@pytest.mark.parametrize("variant", [None, "billing", "context_window"])
def test_a_client_reads_the_error_and_no_output(voice, variant):
    """The stream says success and then tells an error, in the format's own event."""
    on_stage = scene(voice, variant=variant)
    script = StreamErrorFirst().script(on_stage)
    reading = read(on_stage, script)
    assert head_of(script) == (200, on_stage.content_type)
    assert not reading.has_output
    assert reading.error is not None
    assert reading.error.in_band


def test_the_variant_is_told():
    """Anthropic without money says so in the stream."""
    body = body_of(StreamErrorFirst().script(scene(("anthropic", "messages"), variant="billing")))
    assert b"event: error" in body
    assert b"credit balance is too low" in body


def test_a_whole_reply_is_the_error_itself():
    """Where the provider was asked for a whole reply, the error is its body."""
    script = StreamErrorFirst().script(scene(stream=False))
    assert head_of(script) == (200, "application/json")
    assert read(scene(stream=False), script).error is not None
