"""A good answer that begins too late."""

import pytest

from chaos.faults.kinds.slow_first_token import USUAL_S, SlowFirstToken
from chaos.faults.script import Head, Wait
from tests.fakes.scenes import NONCE, VOICES, read, scene

FIRST_TOKEN_DEADLINE_S = 30.0


def waits(script):
    """List the pauses in seconds."""
    return [step.seconds for step in script.steps if isinstance(step, Wait)]


def test_the_pause_is_longer_than_the_usual_deadline():
    """A drill with default deadlines must see it as too late."""
    assert waits(SlowFirstToken().script(scene())) == [USUAL_S]
    assert USUAL_S > FIRST_TOKEN_DEADLINE_S


def test_the_variant_sets_the_pause():
    """``seconds_7`` waits seven seconds."""
    assert waits(SlowFirstToken().script(scene(variant="seconds_7"))) == [7.0]


def test_a_streams_head_comes_before_the_pause():
    """Headers say success at once; a whole reply waits with them too."""
    streamed, whole = (SlowFirstToken().script(scene(stream=s)).steps for s in (True, False))
    assert [type(step) for step in streamed[:2]] == [Head, Wait]
    assert [type(step) for step in whole[:2]] == [Wait, Head]


@pytest.mark.parametrize("voice", VOICES)
@pytest.mark.parametrize("stream", [True, False])
def test_then_all_is_well(voice, stream):
    """After the pause the whole answer comes in good form."""
    on_stage = scene(voice, stream=stream)
    reading = read(on_stage, SlowFirstToken().script(on_stage))
    assert NONCE in reading.text
    assert reading.defects == ()
