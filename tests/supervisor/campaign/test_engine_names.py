"""Engines are named by model groups that clients can ask for."""

from dataclasses import replace

import pytest

from chaos.errors import UsageError
from chaos.gateway.topology import Topology
from supervisor.campaign.engine_names import refuse_unknown_engines, unknown_engines

GEMMA = object()
TOPOLOGY = Topology(
    litellm_version="1.106.2",
    groups={"gemma": GEMMA, "hosted/*": GEMMA},  # type: ignore[dict-item]
    chains=(),
    aliases={"fast": "gemma"},
    wildcards=("hosted/*",),
    other_names={"listed": GEMMA},  # type: ignore[dict-item]
)


def test_every_name_that_clients_may_use_is_one():
    """Groups, aliases, and whatever a wildcard stands for."""
    names = ("gemma", "fast", "listed", "hosted/llama", "hosted/*")
    assert list(unknown_engines(names, TOPOLOGY)) == []


def test_another_is_refused_with_the_nearest():
    """A typo costs one look."""
    with pytest.raises(UsageError, match="'gema'") as caught:
        refuse_unknown_engines(["gemma", "gema"], TOPOLOGY)
    assert "did you mean 'gemma'?" in caught.value.remedy


def test_a_model_of_a_wildcard_is_one_whether_litellm_lists_it_or_not():
    """It is served all the same."""
    known = replace(TOPOLOGY, standing={"openai/*": "gemma"})
    assert list(unknown_engines(("openai/*", "openai/new"), known)) == []
