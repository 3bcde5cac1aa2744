"""A stream that falls silent in the middle."""

from chaos.faults.kinds.stream_stall import StreamStall
from chaos.faults.opening import open_reply
from chaos.faults.script import Close, Silence, Wait
from tests.fakes.scenes import scene


def test_half_is_said_and_then_nothing():
    """The connection stays open until somebody gives up."""
    *said, last = StreamStall().script(scene()).steps
    assert tuple(said) == open_reply(scene()).steps
    assert last == Silence()


def test_the_upstream_may_give_up_by_itself():
    """After so many seconds the connection is closed, without the last chunk."""
    *said, wait, last = StreamStall().script(scene(variant="seconds_30")).steps
    assert tuple(said) == open_reply(scene()).steps
    assert (wait, last) == (Wait(30.0), Close())
