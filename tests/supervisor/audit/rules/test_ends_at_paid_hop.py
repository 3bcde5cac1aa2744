"""The last resort should not depend on money either."""

from dataclasses import replace

import pytest

from chaos.gateway.topology import ModelGroup
from supervisor.audit.rules.context_shrinks import context_shrinks
from supervisor.audit.rules.ends_at_paid_hop import ends_at_paid_hop
from tests.fakes.audit_findings import audited, brief
from tests.fakes.topologies import deployment, group


def test_a_chain_of_paid_hops_only_is_a_warning():
    """One unpaid bill may stop all of them."""
    (finding,) = ends_at_paid_hop(audited({"claude": ["gpt"], "local-gemma": []}))
    assert brief([finding]) == [("ends_at_paid_hop", "warning", "claude")]
    assert finding.remedy.endswith('- "claude": ["gpt", "local-gemma"]')


def test_a_paid_hop_behind_a_local_one_is_a_note():
    """The local one was asked first."""
    found = brief(ends_at_paid_hop(audited({"claude": ["local-gemma", "gpt"]})))
    assert found == [("ends_at_paid_hop", "info", "claude")]


def test_a_chain_that_ends_here_is_well():
    """A local engine costs nothing."""
    assert brief(ends_at_paid_hop(audited({"claude": ["gpt", "local-gemma"]}))) == []


def test_a_local_proxy_of_a_paid_provider_is_paid():
    """LiteLLM knows what its model costs; the address does not make it free."""
    groups = {"gpt": group("gpt", local=True, input_cost_per_token=1e-6)}
    found = brief(ends_at_paid_hop(audited({"claude": ["gpt"]}, groups=groups)))
    assert [subject for _, _, subject in found] == ["claude"]


def test_an_engine_that_the_user_names_is_local():
    """Its address may be public, or its name one that LiteLLM has a price for."""
    groups = {"gpt": group("gpt", input_cost_per_token=1e-6)}
    seen = audited({"claude": ["gpt"]}, groups=groups, named=frozenset({"gpt"}))
    assert brief(ends_at_paid_hop(seen)) == []


def test_a_neighbour_in_the_same_compose_project_is_local():
    """Its host name has no dot, and no address on this machine."""
    groups = {"vllm": group("vllm", base_url="http://vllm:8000/v1")}
    assert brief(ends_at_paid_hop(audited({"claude": ["vllm"]}, groups=groups))) == []


def test_a_local_hop_of_the_chain_is_moved_to_its_end():
    """A hop that is asked twice is asked once: to add it again would change nothing."""
    (finding,) = ends_at_paid_hop(audited({"claude": ["local-gemma", "gpt"], "local-b": []}))
    assert finding.remedy.endswith('- "claude": ["gpt", "local-gemma"]')


def test_a_group_that_is_local_itself_is_left_alone():
    """Its paid hop is what stands behind it, not in front of it."""
    assert brief(ends_at_paid_hop(audited({"local-gemma": ["gpt"]}))) == []


def test_a_local_group_of_another_mode_is_not_proposed():
    """A reranker answers nobody who chats."""
    groups = {
        "rank": group("rank", litellm_model="hosted_vllm/rank", mode="rerank"),
        "chat": group("chat", litellm_model="hosted_vllm/chat", mode="responses"),
    }
    (finding,) = ends_at_paid_hop(audited({"claude": ["gpt"], "rank": []}, groups=groups))
    assert finding.remedy.endswith('["gpt", "chat"]')
    del groups["chat"]
    (finding,) = ends_at_paid_hop(audited({"claude": ["gpt"], "rank": []}, groups=groups))
    assert finding.remedy.endswith('["gpt", "YOUR-LOCAL-GROUP"]')
    assert finding.config is None


def test_a_chain_whose_last_group_ends_at_its_local_order_is_well():
    """LiteLLM asks the orders of a group one after the other."""
    paid = deployment("both", order=1)
    local = deployment("both", order=2, litellm_model="hosted_vllm/gemma", id="two")
    for last, found in (
        ((paid, local), []),
        ((replace(paid, order=3), local), [("ends_at_paid_hop", "warning", "claude")]),
    ):
        groups = {"both": ModelGroup("both", last)}
        assert brief(ends_at_paid_hop(audited({"claude": ["both"]}, groups=groups))) == found


def test_hops_that_are_never_reached_stay_in_the_list():
    """Written as one flat list they are reached."""
    seen = audited({"claude": ["gpt"], "other": [], "local": []})
    chain = replace(seen.topology.chain("claude"), cut=("other",))
    seen = replace(seen, topology=replace(seen.topology, chains=(chain,)))
    (finding,) = ends_at_paid_hop(seen)
    assert finding.remedy.endswith('["gpt", "other", "local"]')


@pytest.mark.parametrize(
    ("paid", "local", "told"),
    [(200_000, 8_192, False), (8_192, 8_192, True), (None, 8_192, True), (200_000, None, True)],
)
def test_a_paid_hop_for_what_is_too_long_for_the_local_one_is_well(paid, local, told):
    """It is the way that the audit of shrinking contexts proposes; only known room counts."""
    groups = {
        "claude": group("claude", max_input_tokens=200_000),
        "local-gemma": group(
            "local-gemma", litellm_model="hosted_vllm/gemma", max_input_tokens=local
        ),
        "gpt": group("gpt", max_input_tokens=paid),
    }
    found = brief(ends_at_paid_hop(audited({"claude": ["local-gemma", "gpt"]}, groups=groups)))
    assert bool(found) is told


def test_the_remedy_of_a_shrinking_context_brings_no_advice_to_take_it_back():
    """Whoever does what one audit says is not sent in a circle by another."""
    groups = {
        "claude": group("claude", max_input_tokens=200_000),
        "local-gemma": group(
            "local-gemma", litellm_model="hosted_vllm/gemma", max_input_tokens=8_192
        ),
        "gpt": group("gpt", max_input_tokens=400_000),
    }
    (shrinks,) = context_shrinks(audited({"claude": ["local-gemma"]}, groups=groups))
    ((_, section),) = (shrinks.config or {}).items()
    written = section["fallbacks"]
    assert written == [{"claude": ["local-gemma", "gpt"]}]
    mended = audited(written[0], groups=groups)
    left = [*context_shrinks(mended), *ends_at_paid_hop(mended)]
    assert [finding.config for finding in left] == [None]
