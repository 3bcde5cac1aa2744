"""What is rehearsed is what is used."""

from datetime import timedelta
from pathlib import Path

import pytest

from chaos.errors import UsageError
from supervisor.settings.file import parse_settings
from supervisor.settings.rehearse import RehearseSettings


def test_the_defaults_are_moderate():
    """A day for most, an hour for what is critical."""
    settings = RehearseSettings(critical=("claude-*",))
    assert settings.of("gpt").target == timedelta(hours=24)
    assert settings.of("claude-opus").target == timedelta(hours=1)
    assert settings.of("claude-opus").critical
    assert settings.of("gpt").enabled


def test_the_first_pattern_that_fits_counts():
    """And changes only what it names."""
    settings = RehearseSettings.model_validate(
        {"groups": {"claude-opus": {"shapes": ["agent"]}, "claude-*": {"shapes": ["chat"]}}}
    )
    assert settings.of("claude-opus").shapes == ("agent",)
    assert settings.of("claude-haiku").shapes == ("chat",)
    assert settings.of("claude-haiku").surfaces == settings.surfaces


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("faults: [biling]", 'rehearse.faults[0]: "biling" is not a fault: Did you mean'),
        ("faults: [outage]", '"outage" is not a fault that the daemon drills by itself: it needs'),
        ("shapes: [chatt]", 'rehearse.shapes[0]: "chatt" is not a traffic shape: Did you'),
        ("surfaces: [x]", 'rehearse.surfaces[0]: "x" is not a surface: One of: chat'),
        ("clients: [codx]", 'rehearse.clients[0]: "codx" is not a client: Did you mean'),
        ("groups: {a: {profile: codx}}", "neither a client (claude_code, codex"),
        ("target: soon", 'rehearse.target: "soon" is not a duration such as 90s'),
        ("targt: 1h", "rehearse.targt: unknown key; did you mean 'target'?"),
    ],
)
def test_a_slip_is_named_with_what_was_meant(line, message):
    """When the file is read, not when the drill is due."""
    with pytest.raises(UsageError) as caught:
        parse_settings(f"rehearse: {{{line}}}", name="x")
    assert message in caught.value.message


def test_a_profile_is_a_client_or_the_path_of_a_file():
    """A client is asked as --as NAME does, a file as --as FILE; clients come with it."""
    groups = {"a": {"profile": "codex"}, "b": {"profile": "./ours.yaml", "clients": ["cline"]}}
    settings = RehearseSettings.model_validate({"clients": ["hermes"], "groups": groups})
    assert settings.of("a").asked_by == ("hermes", "codex")
    assert settings.of("a").profile_file is None
    assert settings.of("b").asked_by == ("cline",)
    assert settings.of("b").profile_file == Path("ours.yaml")
    assert settings.of("c").asked_by == ("hermes",)
