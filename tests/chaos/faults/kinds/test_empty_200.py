"""A good form with nothing in it."""

import pytest

from chaos.faults.kinds.empty_200 import Empty200
from chaos.protocol.conversation import Finish
from tests.fakes.scenes import CALLS, TEXT, VECTORS, VOICES, head_of, read, scene


@pytest.mark.parametrize("voice", VOICES)
@pytest.mark.parametrize("answer", [TEXT, CALLS])
@pytest.mark.parametrize("stream", [True, False])
def test_it_claims_success_and_has_no_output(voice, answer, stream):
    """Status 200, the right media type, an ordinary end, and neither text nor calls."""
    on_stage = scene(voice, answer, stream=stream)
    script = Empty200().script(on_stage)
    reading = read(on_stage, script)
    assert head_of(script) == (200, on_stage.content_type)
    assert not reading.has_output
    assert reading.error is None
    assert reading.finish is Finish.STOP


def test_embeddings_are_gone_too():
    """A list of no vectors is as empty as no text."""
    on_stage = scene(("openai", "embeddings"), VECTORS, stream=False)
    assert read(on_stage, Empty200().script(on_stage)).vector_sizes == ()
