"""The connection breaks before anything is said."""

from chaos.faults.kinds.connection_refused import ConnectionRefused
from chaos.faults.script import Reset, Script
from tests.fakes.scenes import scene


def test_it_resets_at_once():
    """A witness that is reached although the address should refuse resets at once."""
    assert ConnectionRefused().script(scene()) == Script((Reset(),))
