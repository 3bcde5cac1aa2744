"""From a plan to what the witness does for each hop."""

from chaos.drill.leasing import keyless, leased_hops, other_upstreams, upstream_of
from chaos.gateway.topology import ModelGroup
from chaos.witness.lease import Action
from tests.fakes.plans import one_scenario, plan_for
from tests.fakes.topologies import deployment, group, topology

GATEWAY = topology({"paid": ["local-a", "local-b"], "local-a": [], "local-b": [], "other": []})


def plan(fault="billing", depth=1):
    """Plan one drill."""
    return plan_for(GATEWAY, one_scenario(GATEWAY, fault=fault, depth=depth))


def test_failing_hops_are_faulted_the_serving_one_forwarded_and_spares_stood_in_for():
    """A spare that is contacted tells that something went wrong; it need not really answer."""
    assert [hop.action for hop in leased_hops(plan())] == [
        Action.FAULT,
        Action.FORWARD,
        Action.STAND_IN,
    ]


def test_a_hop_that_fails_once_is_answered_afterwards_as_it_would_be_otherwise():
    """A paid one by a stand-in, a local one by itself."""
    first, second, _ = leased_hops(plan("server_error.once", depth=2))
    assert (first.then, second.then) == (Action.STAND_IN, Action.FORWARD)


def test_every_group_outside_the_chain_is_known_too():
    """A wrong hop can only be named if it is recognised."""
    assert {upstream.group for upstream in other_upstreams(plan(), GATEWAY)} == {"other"}


def test_an_unknown_dialect_cannot_be_an_upstream():
    """The witness could not read what it is asked."""
    assert upstream_of(deployment("g", dialect=None)) is None
    known = upstream_of(deployment("g"))
    assert known is not None
    assert known.address is None


def test_at_an_address_of_its_own_any_dialect_is_known():
    """It can be made to fail, whatever it speaks; where it puts its key nobody knows."""
    stranger = deployment("g", dialect=None)
    known = upstream_of(stranger, "3")
    assert known is not None
    assert (known.dialect.name, known.address) == ("generic", "3")
    gateway = topology({"g": []}, groups={"g": ModelGroup("g", (stranger,))})
    made = plan_for(gateway, one_scenario(gateway, "g"))
    assert (keyless(made), keyless(made, by_address=True)) == (False, True)


def test_a_twin_gives_each_deployment_its_address():
    """There identity is the address, not the model."""
    addresses = {"paid-id": "0", "local-a-id": "1"}
    hops = leased_hops(plan(), addresses)
    assert [hop.upstreams[0].address for hop in hops] == ["0", "1", None]


def test_later_orders_are_spared_where_they_are_the_only_fallback():
    """They have to serve: the paid one by a stand-in."""
    orders = ModelGroup("g", (deployment("g", order=1), deployment("g", order=2, id="two")))
    gateway = topology({"g": []}, groups={"g": orders})
    (leased,) = leased_hops(plan_for(gateway, one_scenario(gateway, "g")))
    assert [upstream.spared for upstream in leased.upstreams] == [False, True]
    assert (leased.action, leased.then) == (Action.FAULT, Action.STAND_IN)


def test_some_hops_carry_no_key_of_ours():
    """Bedrock signs, and LiteLLM sends Ollama none for embeddings: the witness wants no canary."""
    signing = group("g", litellm_model="bedrock/amazon.nova-pro-v1:0")
    gateway = topology({"g": []}, groups={"g": signing})
    assert keyless(plan_for(gateway, one_scenario(gateway, "g")))
    for model, mode, expected in (
        ("ollama/nomic", "embedding", True),
        ("ollama/llama3.2", None, False),
        ("openai/embed", "embedding", False),
    ):
        dialect = model.partition("/")[0]
        one = group("g", litellm_model=model, dialect=dialect, mode=mode, local=False)
        gateway = topology({"g": []}, groups={"g": one})
        shape, surface = ("embedding", "embeddings") if mode else ("chat", "chat_completions")
        scenario = one_scenario(gateway, "g", shape=shape, surface=surface)
        assert keyless(plan_for(gateway, scenario)) is expected
