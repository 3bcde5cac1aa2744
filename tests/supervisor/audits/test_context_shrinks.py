"""A hop with less room fails for long requests only, which nobody tries."""

import pytest

from supervisor.audits.context_shrinks import context_shrinks
from supervisor.engine_facts import EngineFacts
from tests.fakes.topologies import group
from tests.supervisor.audits.findings import audited, brief


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
