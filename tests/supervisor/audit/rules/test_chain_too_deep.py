"""Hops that are never reached are told."""

from chaos.gateway.topology import Chain, Topology, Trigger
from supervisor.audit.finding import Audited
from supervisor.audit.rules.chain_too_deep import chain_too_deep
from tests.fakes.audit_findings import brief
from tests.fakes.topologies import group


def found(*cut):
    """What is wrong with a chain of which this is cut off."""
    chain = Chain("a", Trigger.GENERAL, ("a", "b"), cut=cut)
    return list(chain_too_deep(Audited(Topology("1.106.2", {"a": group("a")}, (chain,)))))


def test_hops_behind_the_limit_are_named():
    """The remedy is the whole chain as a flat list, which LiteLLM does not cut."""
    (finding,) = found("c", "d")
    assert brief([finding]) == [("chain_too_deep", "warning", "a")]
    assert "'c', 'd'" in finding.message
    assert finding.remedy.endswith('- "a": ["b", "c", "d"]')


def test_a_chain_that_is_walked_to_its_end_is_well():
    """Nothing is cut off."""
    assert found() == []
