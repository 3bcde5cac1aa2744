"""Silence before the headers."""

from chaos.faults.kinds.hang import Hang
from chaos.faults.script import Script, Silence
from tests.fakes.scenes import scene


def test_not_even_headers_come():
    """Nothing is sent at all, so only a timeout ends it."""
    assert Hang().script(scene()) == Script((Silence(),))
