"""What a shell completes."""

import pytest

from chaos.traffic.shapes import SHAPES
from supervisor.cli.completion import clients, faults, shapes, surfaces
from tests.fakes.commandline import understudy


def completed(line: str, shell: str = "bash") -> list[str]:
    """Complete *line* as the shell's own script asks for it."""
    words = {"bash": {"COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}}.get(
        shell, {"_TYPER_COMPLETE_ARGS": line}
    )
    done = understudy(_UNDERSTUDY_COMPLETE=f"complete_{shell}", **words)
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("understudy dr", ["drill"]),
        ("understudy drill --profile s", ["smoke"]),
        ("understudy drill --fault bill", ["billing"]),
        ("understudy drill --fault rate_limit.retry_after_3", ["rate_limit.retry_after_300"]),
        ("understudy drill --shape tool_call_", ["tool_call_required"]),
        ("understudy drill --surface mess", ["messages"]),
        ("understudy lab --setup no_tool", ["no_tool_flags"]),
    ],
)
def test_bash_completes_commands_options_and_names(line: str, expected: list[str]):
    """By the installed command, as bash runs it."""
    assert completed(line) == expected


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(shell: str):
    """To be sourced, or written where the shell looks.

    Typer asks the processes above for the shell, which tells of how the tests were started.
    """
    named = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    done = understudy("--show-completion", shell, **named)
    assert done.returncode == 0, done.stderr
    assert f"complete_{shell}" in done.stdout


def test_names_come_from_the_registries():
    """A new entry is completed without another line."""
    assert shapes("") == list(SHAPES)
    assert shapes("agent.cod") == ["agent.codex"]
    assert clients("cl") == ["claude_code", "cline"]
    assert "embeddings" in surfaces("e")
    assert faults("no_such.") == ["no_such.once"]
    assert {"hang", "html_200"} <= set(faults("h"))
