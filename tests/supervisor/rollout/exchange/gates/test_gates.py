"""Every gate is asked, and the way back asks only gates that there are."""

import importlib
import pkgutil

from supervisor.rollout.exchange import gates
from supervisor.rollout.exchange.gates import GATES, WAY_BACK


def test_every_gate_of_the_folder_is_asked_once():
    """A file that nobody lists would be a gate that stands open."""
    names = [one.name for one in pkgutil.iter_modules(gates.__path__, f"{gates.__name__}.")]
    there = {importlib.import_module(name).gate for name in names}
    assert there == set(GATES)
    assert len(GATES) == len(names)


def test_the_way_back_asks_a_part_of_the_gates_in_their_order():
    """An engine that served before is asked nothing that only a new one has to show."""
    assert tuple(one for one in GATES if one in WAY_BACK) == WAY_BACK
    assert 0 < len(WAY_BACK) < len(GATES)
