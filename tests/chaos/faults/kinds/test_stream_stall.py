"""A stream that falls silent in the middle."""

from chaos.faults.kinds.stream_stall import StreamStall
from chaos.faults.opening import open_reply
from chaos.faults.script import Silence
from tests.fakes.scenes import scene


def test_half_is_said_and_then_nothing():
    """The connection stays open until somebody gives up."""
    *said, last = StreamStall().script(scene()).steps
    assert tuple(said) == open_reply(scene()).steps
    assert last == Silence()
