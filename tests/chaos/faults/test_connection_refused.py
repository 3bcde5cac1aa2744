"""The connection breaks before anything is said."""

from chaos.faults.connection_refused import ConnectionRefused
from chaos.script import Reset, Script
from tests.chaos.faults.scenes import scene


def test_it_resets_at_once():
    """A witness that is reached although the address should refuse resets at once."""
    assert ConnectionRefused().script(scene()) == Script((Reset(),))
