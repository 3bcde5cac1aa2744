"""A stream that is reset in the middle."""

from chaos.faults.opening import open_reply
from chaos.faults.stream_cut import StreamCut
from chaos.script import Reset
from tests.chaos.faults.scenes import scene


def test_half_is_said_and_then_the_connection_breaks():
    """The reset is the last step, after a pause."""
    *said, last = StreamCut().script(scene()).steps
    assert tuple(said) == open_reply(scene()).steps
    assert last == Reset()
