"""The command is named so that another terminal finds it."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from supervisor.cli.own_command import own_command


@pytest.fixture
def script(tmp_path: Path, monkeypatch) -> Path:
    """An installed one, in a folder with a name that a shell would take apart."""
    folder = tmp_path / "my env; $HOME"
    folder.mkdir()
    file = folder / "understudy"
    file.write_text("#!/bin/sh\necho this one\n")
    file.chmod(0o755)
    monkeypatch.setattr("sys.argv", [str(file), "lab"])
    return file


def test_what_is_not_on_the_path_is_named_whole(script: Path, monkeypatch):
    """It can be pasted as it stands."""
    monkeypatch.setenv("PATH", os.defpath)
    assert shlex.split(own_command()) == [str(script)]
    ended = subprocess.run(["/bin/sh", "-c", own_command()], capture_output=True, check=True)
    assert ended.stdout == b"this one\n"


def test_the_name_alone_does_where_it_is_this_program(script: Path, monkeypatch, tmp_path: Path):
    """By a link too; another program of that name is another."""
    linked = tmp_path / "bin"
    linked.mkdir()
    (linked / "understudy").symlink_to(script)
    monkeypatch.setenv("PATH", str(linked))
    assert own_command() == "understudy"
    (linked / "understudy").unlink()
    (linked / "understudy").write_text("#!/bin/sh\n")
    (linked / "understudy").chmod(0o755)
    assert shlex.split(own_command()) == [str(script)]


def test_without_a_script_the_name_is_all_there_is(monkeypatch, tmp_path: Path):
    """As where Python was told to run it."""
    monkeypatch.setattr("sys.argv", ["-c"])
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    assert own_command() == "understudy"
