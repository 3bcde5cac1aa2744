"""What a canary proves, and what it leaves in doubt."""

from dataclasses import replace

from chaos.drill.canary_proof import doubt
from chaos.witness.wire_record import KeyOwner
from tests.fakes.observations import faulted, plan, seen, served

PLAN = plan()
EXPECTED = PLAN.scenario.expected_hop


def doubts(*args):
    """What is in doubt; empty if nothing is."""
    return doubt(PLAN, *args) or ""


def came(record, **changes):
    """An attempt with the canary, from the gateway's address."""
    return replace(record, **{"key_owner": KeyOwner.CANARY, "peer": "10.0.0.1", **changes})


def test_a_canary_that_arrived_where_it_should_leaves_no_doubt():
    """From one peer, at the expected hop, with the canary's key."""
    assert not doubts(seen(came(faulted()), came(served())))


def test_a_canary_of_another_hop_proves_nothing():
    """The primary got it; the hop whose key is wanted never did."""
    assert "never arrived" in doubts(seen(came(faulted())))
    assert "never arrived" in doubts(seen())


def test_another_key_than_the_canary_proves_nothing():
    """The gateway used a key of its own although it was given ours."""
    for owner in (KeyOwner.OTHER, KeyOwner.MIXED, KeyOwner.NONE):
        observation = seen(came(faulted()), came(served(), key_owner=owner))
        assert "canary key" in doubts(observation)


def test_a_proxy_anywhere_on_the_way_is_a_doubt():
    """It would see the key."""
    assert "proxy" in doubts(seen(came(faulted(), via_proxy=True), came(served())))


def test_two_peers_are_a_doubt():
    """One request of one gateway comes from one address."""
    observation = seen(came(faulted()), came(served(), peer="10.0.0.9"))
    assert "10.0.0.1, 10.0.0.9" in doubts(observation)


def test_a_look_alike_needs_the_gateways_word():
    """The name of the group, or the deployment's id, is the only thing that differs."""
    observation = seen(came(faulted()), came(served()))
    assert "look" in doubts(observation, {"twin-group"})
    own = next(d.id for hop in PLAN.hops if hop.group == EXPECTED for d in hop.deployments)
    for named, fine in ((own, True), ("another-id", False)):
        reply = replace(observation.reply, headers={"x-litellm-model-id": named})
        found = doubts(replace(observation, reply=reply), {"twin-group"})
        assert (not found) is fine
    for group, fine in ((str(EXPECTED), True), ("twin-group", False)):
        reply = replace(observation.reply, headers={"x-litellm-model-group": group})
        found = doubts(replace(observation, reply=reply), {"twin-group"})
        assert (not found) is fine
