"""The connection breaks before anything is said."""

from chaos.faults.connection_reset import ConnectionReset
from chaos.script import Reset, Script
from tests.chaos.faults.scenes import scene


def test_it_resets_at_once():
    """Nothing is sent, no head either: the connection just breaks."""
    assert ConnectionReset().script(scene()) == Script((Reset(),))
