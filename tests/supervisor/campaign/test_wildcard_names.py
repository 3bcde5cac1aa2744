"""A model that is chosen for a wildcard and stands for none is reported."""

from chaos.gateway.topology import Topology
from supervisor.campaign.wildcard_names import ineffective
from tests.fakes.topologies import group

TOPOLOGY = Topology(
    "1.106.2",
    {name: group(name) for name in ("openai/gpt", "openai/own", "house-*")},
    (),
    wildcards=("house-*",),
    standing={"openai/*": "openai/gpt"},
)


def test_a_choice_that_holds_is_nothing_to_report():
    """It is what stands."""
    assert list(ineffective({"openai/*": "openai/gpt"}, TOPOLOGY)) == []


def test_a_wildcard_that_the_gateway_does_not_have_is_reported_with_the_nearest():
    """Also one of which LiteLLM lists no models is one to mean."""
    first, second = ineffective({"opnai/*": "opnai/x", "hose-*": "hose-x"}, TOPOLOGY)
    assert first.message == "the gateway has no wildcard opnai/*, and so opnai/x stands for none"
    assert "did you mean 'openai/*'?" in first.remedy
    assert "did you mean 'house-*'?" in second.remedy


def test_a_model_with_a_group_of_its_own_cannot_stand():
    """LiteLLM serves it by that group, which says nothing about the wildcard."""
    (one,) = ineffective({"openai/*": "openai/own"}, TOPOLOGY)
    assert "it is a model group of its own" in one.message
    assert "no group of its own" in one.remedy
