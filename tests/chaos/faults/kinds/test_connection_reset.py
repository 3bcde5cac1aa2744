"""The connection breaks before anything is said."""

from chaos.faults.kinds.connection_reset import ConnectionReset
from chaos.faults.script import Reset, Script
from tests.fakes.scenes import scene


def test_it_resets_at_once():
    """Nothing is sent, no head either: the connection just breaks."""
    assert ConnectionReset().script(scene()) == Script((Reset(),))
