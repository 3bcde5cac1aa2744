"""Drills may be redirected to the witness, and nobody's requests anywhere else."""

import pytest

from chaos.gateway.redirect_permission import permission_lines
from chaos.gateway.topology import ModelGroup
from supervisor.audit.rules.redirect_permission import (
    redirect_permission_partial,
    redirect_permission_too_wide,
    redirect_unavailable,
)
from tests.fakes.audit_findings import LANES, audited, brief
from tests.fakes.topologies import PERMISSION, deployment


def permitted(*patterns, **parts):
    """A gateway with one group, whose deployments have these permissions."""
    made = tuple(
        deployment("claude", id=str(n), redirect_permission=pattern)
        for n, pattern in enumerate(patterns)
    )
    groups = {"claude": ModelGroup("claude", made)}
    return audited({"claude": ["local"]}, groups=groups, **parts)


def test_a_group_without_permission_is_a_note():
    """A twin can drill it."""
    (finding,) = redirect_unavailable(permitted(None))
    assert brief([finding]) == [("redirect_unavailable", "info", "claude")]
    assert permission_lines(LANES) in finding.remedy


def test_a_permission_for_another_address_is_shown():
    """A changed port is the usual reason."""
    (finding,) = redirect_unavailable(permitted(r"^http://127\.0\.0\.1:9999/lane/[0-3]\Z"))
    assert "9999" in finding.message


def test_a_last_resort_needs_no_permission():
    """LiteLLM asks only the first group."""
    groups = {"local": ModelGroup("local", (deployment("local", redirect_permission=None),))}
    assert brief(redirect_unavailable(audited({"claude": ["local"]}, groups=groups))) == []


def test_an_old_litellm_is_told_once():
    """There a redirected deployment stays for every caller."""
    seen = permitted(None, None, changes={"litellm_version": "1.99.0"})
    assert brief(redirect_unavailable(seen)) == [("redirect_unavailable", "info", "litellm")]


def test_a_permission_on_some_deployments_is_a_warning():
    """LiteLLM reads the last one's, so which it is is chance."""
    seen = permitted(PERMISSION, None)
    assert brief(redirect_permission_partial(seen)) == [
        ("redirect_permission_partial", "warning", "claude")
    ]
    assert brief(redirect_unavailable(seen)) == []
    assert brief(redirect_permission_partial(permitted(PERMISSION, PERMISSION))) == []
    assert brief(redirect_permission_partial(permitted(None, None))) == []


@pytest.mark.parametrize(
    ("pattern", "severity"),
    [
        (".*", "error"),
        ("http", "error"),
        (r"^http://127\.0\.0\.1:8941/lane/[0-9]\Z", "warning"),
        (r"^http://127\.0\.0\.1:8941/lane/[0-9]+\Z", "warning"),
        (r"^http://127\.0\.0\.1:8941/lane/[0-3]$", "warning"),
        (r"^http://127\.0\.0\.1:8941/lane/[0-3]", "warning"),
        (r"^http://127.0.0.1:8941/lane/[0-3]\Z", "warning"),
        (PERMISSION, None),
        ("[", None),
    ],
)
def test_what_a_permission_takes_besides_is_tried(pattern, severity):
    """An address of somebody else is an error: keys can be had there."""
    found = brief(redirect_permission_too_wide(permitted(pattern)))
    assert found == ([("redirect_permission_too_wide", severity, "claude")] if severity else [])


def test_permissions_without_a_pattern_are_errors():
    """The bare name, and the switch for everything."""
    seen = permitted(None, open_groups=frozenset({"claude"}))
    assert brief(redirect_permission_too_wide(seen)) == [
        ("redirect_permission_too_wide", "error", "claude")
    ]
    assert brief(redirect_unavailable(seen)) == []
    config = {"general_settings": {"allow_client_side_credentials": True}}
    found = brief(redirect_permission_too_wide(permitted(None, config=config)))
    assert [severity for _, severity, _ in found] == ["error"]


@pytest.mark.parametrize(
    "chains",
    [{"claude": []}, {"claude": ["local"], "gpt": ["claude"]}],
    ids=["alone", "in_between"],
)
def test_every_group_that_is_drilled_needs_the_permission(chains):
    """One without a chain is drilled too, and so is a fallback with a chain of its own."""
    groups = {"claude": ModelGroup("claude", (deployment("claude", redirect_permission=None),))}
    found = brief(redirect_unavailable(audited(chains, groups=groups)))
    assert found == [("redirect_unavailable", "info", "claude")]
