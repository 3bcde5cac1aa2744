"""How much a campaign is, said before it."""

from chaos.drill.forecast import forecast
from tests.fakes.plans import one_scenario, plan_for
from tests.fakes.topologies import group, topology

LOCAL = group("gemma", litellm_model="hosted_vllm/gemma")
GATEWAY = topology({"paid": ["gemma"], "gemma": []}, groups={"paid": group("paid"), "gemma": LOCAL})


def plans(many, **wanted):
    """Plan one scenario so often."""
    return [plan_for(GATEWAY, one_scenario(GATEWAY, **wanted))] * many


def test_it_goes_by_the_gateway_s_own_reply_time():
    """And names the engines that are asked."""
    wanted = [*plans(1300), *plans(1322, depth=2)]
    assert forecast(wanted, reply_s=0.2, concurrency=1) == (
        "2622 drills, about 9 min at this gateway's 0.2 s a reply; 1300 reach an engine (gemma)"
    )
    assert "about 2 min" in forecast(wanted, reply_s=0.2, concurrency=4)
    assert "engine" not in forecast(plans(60, depth=2), reply_s=0.2, concurrency=1)


def test_a_fault_that_hangs_takes_its_deadline():
    """Sixty of them are an hour, however fast the gateway is."""
    assert "about 60 min" in forecast(plans(60, fault="hang"), reply_s=0.2, concurrency=1)
