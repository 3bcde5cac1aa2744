"""A stream that is reset in the middle."""

import pytest

from chaos.faults.kinds.stream_cut import StreamCut
from chaos.faults.opening import open_reply
from chaos.faults.script import Close, Reset
from chaos.protocol.format import PieceKind
from tests.fakes.scenes import VOICES, body_of, read, scene


def test_half_is_said_and_then_the_connection_breaks():
    """The reset is the last step, after a pause."""
    *said, last = StreamCut().script(scene()).steps
    assert tuple(said) == open_reply(scene()).steps
    assert last == Reset()


@pytest.mark.parametrize("voice", VOICES)
def test_before_the_text_only_the_beginning_is_said(voice):
    """What opens a stream in its format is sent, no word of the answer, and then the reset."""
    played = scene(voice, variant="before_text")
    script = StreamCut().script(played)
    starts = [p.data for p in played.pieces() if p.kind is PieceKind.START]
    assert body_of(script) == b"".join(starts)
    assert not read(played, script).has_output
    assert script.steps[-1] == Reset()


def test_the_connection_may_be_closed_instead():
    """With ``fin`` the same half is said, and then nobody resets."""
    *said, last = StreamCut().script(scene(variant="fin")).steps
    assert tuple(said) == open_reply(scene()).steps
    assert last == Close()
