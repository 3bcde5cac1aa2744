"""A stream that tells an error in the middle."""

import pytest

from chaos.faults.kinds.stream_error_mid import StreamErrorMid
from chaos.faults.script import Send
from tests.fakes.scenes import VOICES, body_of, head_of, read, scene


@pytest.mark.parametrize("voice", VOICES)
def test_a_client_reads_text_and_then_the_error(voice):
    """Something was said; then the error comes, as the format's own event, and the end."""
    on_stage = scene(voice)
    script = StreamErrorMid().script(on_stage)
    reading = read(on_stage, script)
    assert reading.text
    assert reading.error is not None
    assert reading.finish is None
    assert isinstance(script.steps[-1], Send)


def test_the_variant_is_told():
    """A credit can end in the middle of a sentence."""
    body = body_of(StreamErrorMid().script(scene(("anthropic", "messages"), variant="billing")))
    assert b"credit balance is too low" in body


def test_a_whole_reply_is_the_error_itself():
    """Where the provider was asked for a whole reply, the error is its body."""
    assert head_of(StreamErrorMid().script(scene(stream=False))) == (200, "application/json")
