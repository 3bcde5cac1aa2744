"""Agents need tools from every hop."""

from supervisor.audit.rules.tools_unsupported import tools_unsupported
from tests.fakes.audit_findings import audited, brief
from tests.fakes.topologies import group


def found(claude, local):
    """What is wrong when these say whether they call tools."""
    groups = {
        "claude": group("claude", supports_tools=claude),
        "local": group("local", supports_tools=local),
    }
    return brief(tools_unsupported(audited({"claude": ["local"]}, groups=groups)))


def test_a_hop_that_says_no_is_told():
    """Every request with tools would fail there."""
    assert found(True, False) == [("tools_unsupported", "warning", "claude")]
    assert found(None, False) == [("tools_unsupported", "warning", "claude")]


def test_unknown_is_not_no():
    """LiteLLM says null for every vLLM model."""
    assert found(True, None) == []


def test_a_group_without_tools_needs_no_hop_with_them():
    """Its callers send none."""
    assert found(False, False) == []
