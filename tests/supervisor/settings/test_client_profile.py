"""A client profile is read whole, or refused with what is wrong with it."""

from pathlib import Path

import pytest

from chaos.errors import UsageError
from chaos.traffic.shape import ClientProfile
from supervisor.settings.client_profile import load_profile


def test_a_profile_holds_how_the_user_s_clients_ask(tmp_path: Path):
    """System prompt, tools, headers and parameters."""
    file = tmp_path / "profile.yaml"
    file.write_text(
        "system: Be careful.\n"
        "headers: {x-team: search}\n"
        "parameters: {top_p: 0.9}\n"
        "tools: [{type: function, function: {name: search}}]\n"
    )
    assert load_profile(file) == ClientProfile(
        system="Be careful.",
        tools=({"type": "function", "function": {"name": "search"}},),
        headers={"x-team": "search"},
        parameters={"top_p": 0.9},
    )


def test_an_empty_profile_changes_nothing(tmp_path: Path):
    """Everything may be left out."""
    (tmp_path / "empty").write_text("")
    assert load_profile(tmp_path / "empty") == ClientProfile()


def test_all_problems_are_told_at_once(tmp_path: Path):
    """With the keys that a profile knows, not those of the configuration."""
    (tmp_path / "bad").write_text("sistem: x\nheaders: [1]\n")
    with pytest.raises(UsageError) as caught:
        load_profile(tmp_path / "bad")
    assert "sistem: unknown key; did you mean 'system'?" in caught.value.message
    assert "headers" in caught.value.message


@pytest.mark.parametrize(
    "header", ['"x team": a', '"x-team": "a\\n"', '"": a', "Content-Length: '5'", 'x-a: "a\\0"']
)
def test_a_header_that_no_request_can_carry_is_refused_at_once(tmp_path, header):
    """Otherwise every drill would fail on it, one by one."""
    file = tmp_path / "profile.yaml"
    file.write_text(f"headers: {{{header}}}")
    with pytest.raises(UsageError, match="headers"):
        load_profile(file)
