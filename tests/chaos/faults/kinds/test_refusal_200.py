"""A 200 that refuses."""

import pytest

from chaos.faults.kinds.refusal_200 import Refusal200
from chaos.protocol.conversation import Finish
from tests.fakes.scenes import CALLS, TEXT, VOICES, read, scene


@pytest.mark.parametrize("voice", VOICES)
@pytest.mark.parametrize("answer", [TEXT, CALLS])
@pytest.mark.parametrize("stream", [True, False])
def test_the_finish_reason_says_so_and_the_text_is_empty(voice, answer, stream):
    """Nothing is wrong with the form; only the finish reason tells."""
    on_stage = scene(voice, answer, stream=stream)
    reading = read(on_stage, Refusal200().script(on_stage))
    assert reading.finish is Finish.CONTENT_FILTER
    assert not reading.has_output
    assert reading.error is None
