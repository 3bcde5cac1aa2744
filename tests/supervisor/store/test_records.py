"""Values that the store takes and gives."""

from datetime import timedelta

from supervisor.store.records import Turn
from tests.fakes.ledgers import new_path
from tests.fakes.manual_clock import NOON


def test_a_turn_is_more_urgent_the_longer_it_is_due():
    """As its path's risk is."""
    turn = Turn(new_path(), 1)
    assert turn.risk(NOON + timedelta(hours=1)) > turn.risk(NOON) == 0
