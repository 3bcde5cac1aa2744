"""The gateway as it runs now."""

from chaos.topology import Chain, ModelGroup, Trigger
from tests.fakes.topologies import deployment, group, topology


def test_a_group_without_an_entry_is_a_chain_of_itself():
    """Nobody stands behind it; that is a chain of one, not an error."""
    gateway = topology({"claude": []})
    assert gateway.chain("claude") == Chain("claude", Trigger.GENERAL, ("claude",))


def test_chains_are_kept_apart_by_trigger():
    """A general chain is none for context errors; who expects it says so elsewhere."""
    gateway = topology({"claude": ["local-gemma"], "local-gemma": []})
    assert gateway.chain("claude").fallbacks == ("local-gemma",)
    assert gateway.chain("claude", Trigger.CONTEXT_WINDOW).fallbacks == ()


def test_a_group_is_local_only_if_all_of_it_is():
    """One deployment in the cloud makes the group cost money."""
    near = deployment("g", litellm_model="hosted_vllm/g")
    assert ModelGroup("g", (near,)).local
    assert not ModelGroup("g", (near, deployment("g"))).local


def test_a_group_embeds_if_a_deployment_says_so():
    """LiteLLM's mode is the only sign."""
    assert group("e", mode="embedding").embeds
    assert not group("c", mode=None).embeds
