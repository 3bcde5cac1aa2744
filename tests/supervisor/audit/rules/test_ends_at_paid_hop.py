"""The last resort should not depend on money either."""

from supervisor.audit.rules.ends_at_paid_hop import ends_at_paid_hop
from tests.fakes.audit_findings import audited, brief
from tests.fakes.topologies import group


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
