"""A hop that answers another kind of request answers none."""

import pytest

from chaos.gateway.topology import RouterSettings
from supervisor.audit.rules.other_mode import fallback_of_other_mode
from tests.fakes.audit_findings import audited, brief
from tests.fakes.topologies import group


def found(modes, chain, **settings):
    """What is wrong with the chain of a group, where these are the modes."""
    groups = {
        name: group(name, litellm_model=f"hosted_vllm/{name}", mode=mode)
        for name, mode in modes.items()
    }
    chains = {**{name: [] for name in modes}, "asked": chain}
    seen = audited(chains, groups=groups, settings=RouterSettings(**settings))
    return list(fallback_of_other_mode(seen))


def test_a_chain_of_another_mode_only_is_an_error():
    """The lines name a local group of the right mode."""
    modes = {"asked": "embedding", "chat": "chat", "spare": "embedding"}
    (finding,) = found(modes, ["chat"], fallbacks=({"asked": ("chat",)},))
    assert brief([finding]) == [("fallback_of_other_mode", "error", "asked")]
    assert "'chat' in fallbacks is of another mode (chat)" in finding.message
    assert finding.config == {"router_settings": {"fallbacks": [{"asked": ["spare"]}]}}


def test_where_another_hop_fits_it_is_a_warning():
    """The one that does not is left out of the lines."""
    modes = {"asked": "chat", "embed": "embedding", "other": None}
    (finding,) = found(modes, ["embed", "other"])
    assert finding.severity == "warning"
    assert finding.remedy.endswith('- "asked": ["other"]')


def test_the_default_is_named_where_it_is_the_cause():
    """It is everybody's fallback, also of those that it cannot serve."""
    (finding,) = found({"asked": "rerank", "chat": "chat"}, ["chat"], default_fallbacks=("chat",))
    assert "'chat' in default_fallbacks" in finding.message
    assert finding.config is None


@pytest.mark.parametrize(
    ("asked", "hop"),
    [("chat", "responses"), ("completion", "chat"), (None, "embedding"), ("embedding", None)],
)
def test_what_fits_or_may_fit_is_not_told(asked, hop):
    """A mode that LiteLLM does not know may be the right one."""
    assert found({"asked": asked, "hop": hop}, ["hop"]) == []
