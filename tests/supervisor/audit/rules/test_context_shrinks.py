"""A hop with less room fails for long requests only, which nobody tries."""

from dataclasses import replace

import pytest

from chaos.gateway.topology import Chain, RouterSettings, Trigger
from supervisor.audit.rules.context_shrinks import context_shrinks
from supervisor.engine.capacity import Capacity
from supervisor.engine.facts import EngineFacts
from tests.fakes.audit_findings import audited, brief
from tests.fakes.topologies import group


def found(claude, local, **parts):
    """What is wrong when these take so many tokens."""
    groups = {
        "claude": group("claude", max_input_tokens=claude),
        "local": group(
            "local",
            litellm_model="hosted_vllm/gemma",
            max_input_tokens=local,
            input_cost_per_token=0.0,
        ),
    }
    return list(context_shrinks(audited({"claude": ["local"]}, groups=groups, **parts)))


@pytest.mark.parametrize(("local", "severity"), [(65_536, "info"), (8_192, "warning")])
def test_a_shorter_hop_is_told_by_what_still_fits(local, severity):
    """An agent's request fits into 47,000 tokens; less room than that breaks agents."""
    (finding,) = found(200_000, local)
    assert brief([finding]) == [("context_shrinks", severity, "claude")]
    assert f"{local:,}" in finding.message
    assert '- "claude": ["local", "A-GROUP-WITH-MORE-ROOM"]' in finding.remedy


def test_the_engine_knows_better_than_litellm():
    """What the gateway believes does not make a context longer."""
    said = EngineFacts("local", "http://x", asked_for=("gemma",), max_model_len={"gemma": 4096})
    (finding,) = found(200_000, 300_000, engines=(said,))
    assert "4,096" in finding.message


@pytest.mark.parametrize(("claude", "local"), [(8_192, 8_192), (None, 10), (10, None)])
def test_equal_room_and_unknown_room_are_not_told(claude, local):
    """Null means unknown, never none."""
    assert found(claude, local) == []


def test_long_requests_are_sent_on_to_a_group_with_as_much_room():
    """Not to one with less, nor to one that makes embeddings."""
    groups = {
        "claude": group("claude", max_input_tokens=1000),
        "small": group("small", max_input_tokens=999),
        "embed": group("embed", max_input_tokens=9000, mode="embedding"),
        "big": group("big", max_input_tokens=1000),
        "local": group("local", max_input_tokens=10),
    }
    chains = {"claude": ["local"], "small": [], "embed": [], "big": []}
    (finding,) = context_shrinks(audited(chains, groups=groups))
    assert finding.remedy.endswith('- "claude": ["local", "big"]')


def test_a_group_whose_own_room_is_small_is_no_warning():
    """Its callers send nothing that an agent would."""
    (finding,) = found(20_000, 8_192)
    assert finding.severity == "info"


def test_the_context_to_ask_the_engine_for_is_exact_where_its_kv_cache_is_known():
    """Else it is what the primary takes, if the machine allows it."""
    said = EngineFacts("local", "http://x", asked_for=("gemma",), max_model_len={"gemma": 4096})
    big = replace(said, capacity=Capacity(kv_cache_tokens=699_008))
    (unknown,), (known,) = (found(200_000, None, engines=(one,)) for one in (said, big))
    assert "--max-model-len 200000 if its memory and model allow it" in unknown.remedy
    assert "--max-model-len 200000: its KV cache holds 699,008 tokens" in known.remedy


BIG = {"max_input_tokens": 200_000}
SMALL = {"max_input_tokens": 8_192}


def shrinking(hops, *, special=None, others=()):
    """What is wrong with a chain of hops of which those that begin with big have the room."""
    names = ("claude", *hops, *(special or ()), *others)
    groups = {n: group(n, **(BIG if n.startswith(("claude", "big")) else SMALL)) for n in names}
    seen = audited(
        {"claude": list(hops), **{name: [] for name in names[1:]}},
        groups=groups,
        settings=RouterSettings(
            fallbacks=({"claude": tuple(hops)},),
            context_window_fallbacks=() if special is None else ({"x": ("y",)},),
        ),
    )
    if special:
        own = Chain("claude", Trigger.CONTEXT_WINDOW, ("claude", *special))
        chains = (*seen.topology.chains, own)
        seen = replace(seen, topology=replace(seen.topology, chains=chains))
    return list(context_shrinks(seen))


def test_a_later_hop_with_the_room_leaves_nothing_to_write():
    """LiteLLM goes on to it by itself, so that the chain that runs is right."""
    (finding,) = shrinking(["small", "big"])
    assert (finding.severity, finding.config) == ("info", None)
    assert "go on to 'big'" in finding.remedy
    assert "\n" not in finding.remedy


def test_an_earlier_hop_with_the_room_is_moved_behind():
    """It was asked and had failed before."""
    (finding,) = shrinking(["big", "small"])
    assert finding.severity == "warning"
    assert finding.remedy.startswith("Move 'big' behind 'small'.")
    assert finding.remedy.endswith('- "claude": ["small", "big"]')


def test_the_proposed_group_is_never_in_the_chain_already():
    """Nor is it one of another mode."""
    (finding,) = shrinking(["small"], others=["big-two"])
    assert finding.config == {"router_settings": {"fallbacks": [{"claude": ["small", "big-two"]}]}}
    assert finding.remedy.splitlines()[-2].startswith("Replace the entry in fallbacks;")


def test_where_the_list_for_long_prompts_is_set_it_answers():
    """A hop of it with the room is enough; else the line belongs there."""
    (enough,) = shrinking(["small"], special=["big"])
    assert (enough.severity, enough.config) == ("info", None)
    (lacking,) = shrinking(["small"], special=[], others=["big"])
    assert lacking.config == {
        "router_settings": {"context_window_fallbacks": [{"claude": ["big"]}]}
    }


def test_a_hop_of_that_list_that_was_asked_before_is_not_asked_again():
    """It has to be moved behind in the general list, where it comes first."""
    (finding,) = shrinking(["big", "small"], special=["big"])
    assert finding.severity == "warning"
    assert finding.config == {"router_settings": {"fallbacks": [{"claude": ["small", "big"]}]}}
