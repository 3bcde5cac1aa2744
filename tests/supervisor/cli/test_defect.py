"""A defect is told with what is needed to report it: the command's name, not its options."""

import pytest

from supervisor.cli.defect import Invoked, tell
from supervisor.cli.main import app


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["drill", "--group", "audit"], "understudy drill"),
        (["store", "check", "--format", "json"], "understudy store check"),
        (["--version"], "understudy"),
        (["no-such-command", "drill"], "understudy"),
        ([], "understudy"),
    ],
)
def test_a_command_is_known_by_its_name(arguments, name):
    """Also one of a group; what follows may be a host or a file."""
    assert Invoked.of(app, arguments).name == name


def test_a_command_knows_its_options():
    """What a remedy may name."""
    assert Invoked.of(app, ["drill"]).has("--output")
    assert not Invoked.of(app, ["audit"]).has("--witness-url")


def test_every_error_of_a_group_is_told(capsys):
    """Two tasks may fail by two defects."""
    tell(ExceptionGroup("all", [KeyError("a secret"), ExceptionGroup("b", [OSError()])]), "u x")
    said = capsys.readouterr().err
    assert "u x broke off by a defect of Understudy: KeyError, OSError" in said
    assert "a secret" not in said
