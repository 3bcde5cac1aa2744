"""A client profile is read whole, or refused with what is wrong with it."""

from pathlib import Path

import pytest

from chaos.errors import UsageError
from chaos.traffic.shape import ClientProfile
from supervisor.settings.client_profile import ClientProfileFile, client_named, load_profile


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
        name="profile.yaml",
    )


def test_an_empty_profile_changes_nothing(tmp_path: Path):
    """Everything may be left out."""
    (tmp_path / "empty").write_text("")
    assert load_profile(tmp_path / "empty") == ClientProfile(name="empty")


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


def test_a_profile_may_give_itself_a_name(tmp_path: Path):
    """Reports say it; else the file's."""
    (tmp_path / "profile.yaml").write_text("name: our-agent\n")
    assert load_profile(tmp_path / "profile.yaml").name == "our-agent"


def test_a_word_is_a_client_of_the_registry_else_a_file(tmp_path: Path, monkeypatch):
    """A file without an ending counts where it is there."""
    assert client_named("claude_code") == "claude_code"
    monkeypatch.chdir(tmp_path)
    Path("ours").write_text("system: Be brief.\n")
    found = client_named("ours")
    assert isinstance(found, ClientProfileFile)
    assert found.system == "Be brief."


def test_what_is_neither_is_told_with_the_known_clients():
    """A slip of the pen must not look like a missing file."""
    with pytest.raises(UsageError) as caught:
        client_named("claude_cod")
    assert "neither a client nor a file" in caught.value.message
    assert "claude_code, codex" in caught.value.remedy
