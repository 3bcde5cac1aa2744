"""What happens in a drill, written down and told."""

from dataclasses import replace

from chaos.drill.drill import Refusal, refused
from chaos.judge.check import Kind
from supervisor.daemon.recorder import refusal_of
from tests.fakes.manual_clock import NOON
from tests.fakes.plans import one_scenario, plan_for
from tests.fakes.topologies import topology

GATEWAY = topology({"claude": ["local"]})


def test_a_refused_drill_is_told_from_one_that_was_run():
    """Nothing was sent for it; what was sent counts, whatever refused the rest."""
    plan = plan_for(GATEWAY, one_scenario(GATEWAY, "claude"))
    drill = refused(plan, Refusal(Kind.ENGINE_BUSY, "2 wait", "Wait."), NOON)
    found = refusal_of(drill)
    assert found is not None
    assert (found.kind, found.message) == (Kind.ENGINE_BUSY, "2 wait")
    assert refusal_of(replace(drill, requests=1)) is None
