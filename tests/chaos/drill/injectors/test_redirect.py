"""When a redirect is refused, before anything is sent."""

from dataclasses import replace
from typing import cast

import aiohttp
import pytest

from chaos.drill.injectors.redirect import Redirect, version_objection
from chaos.gateway.client import Gateway
from chaos.gateway.topology import ModelGroup
from chaos.gateway.virtual_key import VirtualKey
from chaos.judge.check import Kind
from chaos.witness.server import Witness
from tests.fakes.plans import one_scenario
from tests.fakes.topologies import deployment, group, topology

CHAIN = {"paid": ["local-last"], "local-last": []}
LANES = [f"http://127.0.0.1:8941/lane/{n}" for n in range(4)]


UNUSED = cast(aiohttp.ClientSession, None)


def objection(gateway, *, depth=1, fault="billing", real_keys=False):
    """Ask about one scenario of *gateway*."""
    scenario = one_scenario(gateway, fault=fault, depth=depth)
    witness = Witness("http://127.0.0.1:8941")
    injector = Redirect(
        witness,
        gateway,
        gateway=Gateway(UNUSED, "http://g", key="k", admin_key="k"),
        real_keys=real_keys,
    )
    return injector.objection(scenario)


def with_groups(**groups):
    """The little chain, with some groups replaced."""
    return topology(CHAIN, groups={name.replace("_", "-"): made for name, made in groups.items()})


def test_a_permitted_group_with_distinct_hops_is_drilled():
    """The usual case has no objection."""
    assert objection(topology(CHAIN)) is None


@pytest.mark.parametrize("version", ["1.102.9", "1.70.0", "", "unknown"])
def test_old_and_unknown_versions_are_refused(version):
    """There a redirected deployment would stay behind for every caller."""
    found = version_objection(version)
    assert found is not None
    assert found.for_all
    assert objection(topology(CHAIN, litellm_version=version)) == found


@pytest.mark.parametrize("version", ["1.103.0", "1.106.2", "1.110.0rc1"])
def test_newer_versions_are_taken(version):
    """From 1.103.0 on the redirect leaves nothing behind."""
    assert version_objection(version) is None


def test_a_group_without_permission_is_refused_before_anything_is_sent():
    """A refused redirect is a 500 with a traceback in LiteLLM's log."""
    found = objection(with_groups(paid=group("paid", redirect_permission=None)))
    assert found.kind is Kind.GATEWAY_REFUSED
    assert "do not allow" in found.reason


def test_a_hidden_alias_is_refused_whatever_its_group_permits():
    """LiteLLM answers its redirect with status 500, and a traceback in its log."""
    hidden = replace(topology(CHAIN), hidden_aliases=frozenset({"paid"}))
    found = objection(hidden)
    assert found is not None
    assert found.kind is Kind.GATEWAY_REFUSED
    assert "hidden alias" in found.reason
    assert "--injector twin" in found.remedy


def test_permission_on_only_some_deployments_is_refused():
    """LiteLLM reads the last deployment only: it would work today and not tomorrow."""
    two = ModelGroup(
        "paid", (deployment("paid"), deployment("paid", id="b", redirect_permission=None))
    )
    assert "only some" in objection(with_groups(paid=two)).reason


def test_an_unknown_dialect_is_refused():
    """The witness could not tell what it is asked for."""
    found = objection(with_groups(paid=group("paid", dialect=None, provider="novel")))
    assert "novel" in found.reason


def test_hops_that_look_alike_are_refused_where_one_of_them_serves():
    """It could fault the wrong hop."""
    twins = {
        "paid": group("paid", litellm_model="openai/same"),
        "local_last": group("local-last", litellm_model="hosted_vllm/same"),
    }
    found = objection(with_groups(**twins))
    assert found.kind is Kind.HOP_NOT_FORWARDABLE
    assert "look alike" in found.reason
    assert objection(with_groups(**twins), depth=2) is None


def test_a_serving_hop_with_two_addresses_is_refused():
    """It could hand one provider's key to another."""
    two = ModelGroup(
        "local-last",
        tuple(
            deployment(
                "local-last",
                litellm_model="hosted_vllm/m",
                id=f"d{n}",
                base_url=f"http://127.0.0.1:{8000 + n}/v1",
            )
            for n in range(2)
        ),
    )
    assert "2 real addresses" in objection(with_groups(local_last=two)).reason
    assert objection(with_groups(local_last=two), depth=2) is None


def test_a_paid_serving_hop_is_stood_in_for_whatever_its_address():
    """Its real address does not matter as long as nobody calls it."""
    paid = group("local-last", litellm_model="openai/other", base_url=None)
    assert objection(with_groups(local_last=paid)) is None
    assert objection(with_groups(local_last=paid), real_keys=True) is not None


def test_what_signs_in_with_google_is_never_redirected():
    """Its real access token would come along, also from a spare."""
    vertex = group("local-last", litellm_model="vertex_ai/gemini-2.5-pro", dialect="vertex")
    found = objection(with_groups(local_last=vertex))
    assert found is not None
    assert "real access token" in found.reason
    assert "--injector twin" in found.remedy


def test_a_refused_connection_needs_a_twin():
    """A lane always listens."""
    assert "address of its own" in objection(topology(CHAIN), fault="connection_refused").reason


def test_a_twin_is_named_as_the_way_out():
    """Every objection of identity says what to do instead."""
    found = objection(
        with_groups(
            paid=group("paid", litellm_model="openai/same"),
            local_last=group("local-last", litellm_model="hosted_vllm/same"),
        )
    )
    assert "--injector twin" in found.remedy
    assert replace(found, reason="") != found


def test_a_hop_that_does_not_exist_is_no_objection():
    """It is for the drill to show that the gateway passes over it."""
    gateway = topology(CHAIN)
    chain = replace(gateway.chains[0], named=("paid", "tpyo", "local-last"))
    gateway = replace(gateway, chains=(chain,))
    assert objection(gateway, depth=1) is None
    assert objection(gateway, depth=2) is None


def test_orders_that_look_alike_need_a_twin():
    """Which of the two is asked could not be told on a lane, so neither could be spared."""
    same = ModelGroup("paid", (deployment("paid", order=1), deployment("paid", order=2, id="b")))
    gateway = topology({"paid": []}, groups={"paid": same})
    refused = objection(gateway=gateway)
    assert refused is not None
    assert "look alike" in refused.reason
    other = deployment("paid", order=2, id="b", litellm_model="anthropic/claude-y")
    gateway = topology(
        {"paid": []}, groups={"paid": ModelGroup("paid", (same.deployments[0], other))}
    )
    assert objection(gateway=gateway) is None


def test_settings_of_a_virtual_key_do_not_count_on_a_redirected_request():
    """LiteLLM looks at the address first, and takes the router's own: that would prove others'."""
    own = VirtualKey("a", router_settings={"fallbacks": []}, settings_of="its team")
    found = objection(replace(topology(CHAIN), caller=own))
    assert "its team has router_settings of its own (fallbacks)" in found.reason
    assert "twin" in found.remedy
    plain = VirtualKey("a", unusable="it is blocked")
    assert objection(replace(topology(CHAIN), caller=plain)) is None
