"""A scenario's key is its identity, its path is what coverage is about."""

from tests.fakes.plans import one_scenario
from tests.fakes.topologies import topology

GATEWAY = topology({"paid": ["backup", "local-last"]})


def test_a_key_has_every_part_that_tells_scenarios_apart():
    """It is what reports, accepted failures and the store go by."""
    scenario = one_scenario(GATEWAY, fault="billing.once", depth=2, stream=True)
    assert scenario.key == "paid/general/2/billing.once/chat/chat_completions/stream"
    assert scenario.pattern == "general/billing.once/chat/chat_completions/stream"


def test_a_path_names_the_hop_that_serves_and_no_fault():
    """A fallback is proven whatever made the primary fail."""
    first, second = (one_scenario(GATEWAY, fault=fault) for fault in ("billing", "hang"))
    assert first.path == second.path
    assert str(first.path) == "paid/general/backup/chat_completions/chat/whole"
    deeper = one_scenario(GATEWAY, depth=2)
    assert str(deeper.path) == "paid/general/local-last/chat_completions/chat/whole"


def test_where_everything_is_down_no_hop_serves():
    """The path says so in a word that no group can be mistaken for."""
    scenario = one_scenario(GATEWAY, depth=3)
    assert (scenario.everything_down, scenario.path.hop) == (True, "none")
