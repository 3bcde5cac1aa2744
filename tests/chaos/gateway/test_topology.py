"""The gateway as it runs now."""

from chaos.gateway.topology import Chain, ModelGroup, Trigger
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


ENGINE = {"litellm_model": "hosted_vllm/gemma"}


def test_a_named_engine_is_reached_where_the_user_says():
    """LiteLLM's own address for it may be one of a container's network."""
    gateway = topology(
        {"paid": ["local", "local-too"]},
        {
            "local": group("local", base_url="http://vllm:8000/v1", **ENGINE),
            "local-too": group("local-too", base_url="http://vllm:8000/v1", **ENGINE),
        },
    ).reached_at({"local": "http://127.0.0.1:9000"})
    assert gateway.groups["local"].deployments[0].base_url == "http://127.0.0.1:9000/v1"
    assert gateway.groups["local-too"].deployments[0].base_url == "http://127.0.0.1:9000/v1"
    assert gateway.groups["paid"].deployments[0].base_url == "https://api.example/v1"


def test_an_engine_whose_path_the_user_names_keeps_it_once():
    """People write the root, and people write the /v1."""
    gateway = topology(
        {"local": []}, {"local": group("local", base_url="http://vllm:8000/v1", **ENGINE)}
    ).reached_at({"local": "http://127.0.0.1:9000/v1"})
    assert gateway.groups["local"].deployments[0].base_url == "http://127.0.0.1:9000/v1"


def test_an_engine_that_litellm_has_no_address_for_gets_the_users():
    """LiteLLM may know it from its own environment, which we cannot see."""
    gateway = topology(
        {"local": []}, {"local": group("local", base_url=None, **ENGINE)}
    ).reached_at({"local": "http://127.0.0.1:9000"})
    assert gateway.groups["local"].deployments[0].base_url == "http://127.0.0.1:9000/v1"


def test_several_engines_behind_one_name_stay_where_they_are():
    """One address for all of them would test one engine under the other's name."""
    one = deployment("local", base_url="http://a:8000/v1", **ENGINE)
    two = deployment("local", base_url="http://b:8000/v1", **ENGINE)
    gateway = topology({"local": []}, {"local": ModelGroup("local", (one, two))})
    assert gateway.reached_at({"local": "http://127.0.0.1:9000"}) == gateway


def test_the_mode_of_a_group_is_what_its_deployments_agree_on():
    """Chat, responses and completions stand in for each other; without a mode it is chat."""
    first, second = deployment("g", mode="responses"), deployment("g", mode="image_generation")
    assert (ModelGroup("g", (first,)).mode, ModelGroup("g", (first,)).family) == (
        "responses",
        "chat",
    )
    assert ModelGroup("g", (second, second)).family == "image_generation"
    assert ModelGroup("g", (first, deployment("g", mode=None))).mode == "responses"
    mixed = ModelGroup("g", (first, second))
    assert (mixed.mode, mixed.family) == (None, "chat")
