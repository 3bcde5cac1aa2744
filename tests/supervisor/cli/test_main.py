"""The command line as a whole: what is wrong is said with its remedy and exit code 2."""

import os
import subprocess
import sys
from typing import Any

import pytest
import typer

from chaos.errors import GatewayError, UsageError
from supervisor.cli.main import app
from supervisor.cli.version import installed_version
from tests.fakes.commandline import understudy

COMMANDS = ("demo", "lab", "drill", "audit", "doctor", "init", "faults", "shapes", "checks")


def test_the_version_is_told(invoke):
    """Bug reports begin with it."""
    ended = invoke("--version")
    assert (ended.code, ended.out) == (0, f"understudy {installed_version()}\n")


HEAVY = ("aiohttp", "yaml", "jsonschema", "uvloop", "supervisor.settings")
"""Not pydantic: typer itself reads a command's options with it."""

LIGHT = {
    "chaos.process",
    "chaos.process.terminal",
    "chaos.process.core_dumps",
    "chaos",
    "chaos.errors",
    "chaos.exit_code",
    "chaos.gateway",
    "chaos.gateway.redirect_permission",
}
LOADED = "import sys, atexit; atexit.register(lambda: print('\\n'.join(sys.modules)))"


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (["--version"], {}),
        (["--help"], {}),
        (["drill", "--help"], {}),
        ([], {"_UNDERSTUDY_COMPLETE": "complete_bash", "COMP_WORDS": "u dr", "COMP_CWORD": "1"}),
    ],
    ids=["version", "help", "drill", "completion"],
)
def test_what_only_tells_about_the_commands_imports_nothing_heavy(arguments, environment):
    """On a slow machine the drill engine takes seconds to import, and --help needs none of it."""
    code = f"{LOADED}; from supervisor.cli.main import main; main()"
    ended = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    loaded = set(ended.stdout.splitlines())
    assert "supervisor.cli.commands.drill" in loaded, ended.stderr
    assert not [name for name in loaded if name.split(".")[0] in HEAVY or name in HEAVY]
    assert {name for name in loaded if name.split(".")[0] == "chaos"} <= LIGHT


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(invoke, command):
    """--help is everywhere, and costs no connection."""
    ended = invoke(command, "--help")
    assert ended.code == 0
    assert "Usage: understudy" in ended.out


def examples() -> list[tuple[tuple[str, ...], str]]:
    """Every command, with each example in its help."""
    found: list[tuple[tuple[str, ...], str]] = []

    def look(command: Any, words: tuple[str, ...]) -> None:
        lines = map(str.strip, (command.help or "").splitlines())
        found.extend((words, line) for line in lines if line.startswith("understudy "))
        for name, inner in getattr(command, "commands", {}).items():
            look(inner, (*words, name))

    look(typer.main.get_command(app), ())
    return found


@pytest.mark.parametrize(("words", "example"), examples())
def test_an_example_in_the_help_can_be_copied(invoke, words, example):
    """On a terminal of 80 columns it is one line."""
    told = invoke(*words, "--help", COLUMNS="80").out
    assert example in [line.strip() for line in told.splitlines()]


def test_help_tells_the_defaults(invoke):
    """What stands in brackets is not taken for markup."""
    told = " ".join(invoke("drill", "--help", COLUMNS="200").out.split())
    for default in ("(default: smoke)", "(default: the same key)", "(default: 127.0.0.1:8941)"):
        assert default in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dril"], "No such command"),
        (["drill", "--grup", "x"], "No such option"),
        (["drill", "--concurrency", "9"], "--concurrency"),
        (["drill", "--injector", "magic"], "magic"),
        (["faults", "--format", "junit"], "junit"),
        (["drill", "--deadline", "soon"], "--deadline"),
    ],
)
def test_a_slip_of_the_pen_ends_with_2(invoke, arguments, message):
    """Options that do not exist are told by the option parser."""
    ended = invoke(*arguments)
    assert ended.code == 2
    assert message in ended.err


def test_without_a_command_there_is_help(invoke):
    """Nobody has to guess the first word."""
    ended = invoke()
    assert "drill" in ended.out + ended.err


def raising(monkeypatch, error):
    """Have the audit end so."""

    def broken(**_):
        raise error

    monkeypatch.setattr("supervisor.cli.gateway_options.Access.settings", lambda _: broken())


def test_what_several_tasks_found_is_told_without_a_traceback(invoke, monkeypatch):
    """Errors that a person can mend stay readable when they come in a group."""
    inner = ExceptionGroup("tasks", [GatewayError("it is down", remedy="Start it.")])
    raising(monkeypatch, ExceptionGroup("all", [inner, UsageError("no", remedy="Yes.")]))
    ended = invoke("audit")
    assert ended.code == 2
    assert "it is down" in ended.err
    assert "Yes." in ended.err
    assert "defect" not in ended.err


SECRET = "sk-" + "verysecret"


@pytest.mark.parametrize(
    "error",
    [
        ZeroDivisionError(f"by {SECRET}"),
        ExceptionGroup("all", [UsageError("no", remedy="Yes."), ZeroDivisionError(SECRET)]),
    ],
    ids=["alone", "among others"],
)
def test_a_defect_of_ours_ends_with_70_and_asks_for_a_report(invoke, monkeypatch, error):
    """Frames and version are shown; the error's words and the command's options are not."""
    raising(monkeypatch, error)
    ended = invoke("audit", "--gateway", "http://private.example:4000")
    assert ended.code == 70
    told = " ".join(ended.err.split())
    assert "understudy audit broke off by a defect of Understudy: ZeroDivisionError" in told
    assert f"understudy {installed_version()}, command: understudy audit" in told
    assert "Please report it" in told
    assert "test_main.py" in told
    assert SECRET not in told
    assert "private.example" not in told
    assert ("error: no" in told) is isinstance(error, ExceptionGroup)


def test_help_comes_without_the_drill_engine():
    """The installed script starts, and what it only lists it does not import."""
    ended = understudy("drill", "--help")
    assert ended.returncode == 0
    assert "--witness-listen" in ended.stdout
