"""``understudy lab``: tells its addresses at once, runs until it is stopped, leaves nothing."""

import json
import re
import shlex
import shutil
import signal
import socket
import time
from pathlib import Path

import pytest

from chaos.gateway.releases import LITELLM_VERSION
from chaos.lab.lab import BIN_VARIABLE
from tests.fakes.commandline import SCRIPT
from tests.fakes.litellm import fake_litellm
from tests.fakes.terminal import CTRL_C, on_terminal
from tests.patience import PATIENCE_S


def lab(folder: Path, *options: str):
    """Start a lab whose LiteLLM comes up at once, with temporary files in *folder*."""
    temporary = folder / "tmp"
    temporary.mkdir()
    env = {BIN_VARIABLE: str(fake_litellm(folder)), "TMPDIR": str(temporary)}
    return on_terminal("lab", *options, columns=200, **env)


def listening(port: int) -> bool:
    """Tell whether anybody listens on *port*."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_its_addresses_are_told_as_json_before_it_ends(tmp_path: Path):
    """A script reads one line, and uses the lab while it runs."""
    with lab(tmp_path, "--format", "json") as terminal:
        terminal.until("}}")
        (line,) = [line for line in terminal.shown.splitlines() if line.startswith("{")]
        told = json.loads(line)
        assert list(told) == ["gateway_url", "key", "admin_key", "engines"]
        assert list(told["engines"]) == ["gemma"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_it_is_gone_when_it_is_stopped(tmp_path: Path, number, code):
    """No process, no configuration with keys, and the code that shells expect."""
    with lab(tmp_path) as terminal:
        terminal.until("Ctrl-C ends the lab")
        (port,) = map(int, re.findall(r"gateway {2,}http://127.0.0.1:(\d+)", terminal.shown))
        assert listening(port)
        terminal.process.send_signal(number)
        assert terminal.end() == code
        assert not listening(port)
        assert terminal.left_running() == []
    assert list((tmp_path / "tmp").iterdir()) == []
    assert "Traceback" not in terminal.shown


def test_it_leaves_nothing_when_it_is_killed(tmp_path: Path):
    """Neither a process, nor the log of one: nobody could clean up but its guard."""
    with lab(tmp_path) as terminal:
        terminal.until("Ctrl-C ends the lab")
        terminal.process.kill()
        terminal.end()
        deadline = time.monotonic() + PATIENCE_S
        left = tmp_path / "tmp"
        while terminal.left_running() or [f for f in left.rglob("*.log") if f.is_file()]:
            assert time.monotonic() < deadline
        assert [f for f in left.rglob("*.yaml") if f.is_file()] == []


def test_people_are_told_the_line_to_type(tmp_path: Path):
    """The drill command can be copied, with key, gateway and witness."""
    with lab(tmp_path, "--witness-port", "18999") as terminal:
        terminal.until("Ctrl-C ends the lab")
        terminal.press(CTRL_C)
        assert terminal.end() == 130
    (line,) = [line for line in terminal.shown.splitlines() if line.startswith("LAB_KEY=")]
    key, command, verb, *_ = shlex.split(line)
    assert (key.partition("=")[2][:7], verb) == ("sk-lab-", "drill")
    # The tests' own is not on the path; pasted, it would not be found by its name.
    assert Path(shutil.which(command) or "").resolve() == SCRIPT.resolve()
    assert "drill --gateway http://127.0.0.1:" in terminal.shown
    assert "--key-env LAB_KEY --witness-listen 127.0.0.1:18999" in terminal.shown


def test_a_set_up_that_does_not_exist_is_answered_with_the_nearest(invoke):
    """Before anything is started."""
    ended = invoke("lab", "--setup", "no_tool_flag")
    assert ended.code == 2
    assert "'no_tool_flag' is not a set-up" in ended.err
    assert "Did you mean 'no_tool_flags'?" in ended.err


def test_prepare_is_quick_where_everything_is_there(invoke, monkeypatch, tmp_path: Path):
    """It installs into the folder that was named, starts nothing, and ends with 0."""
    asked = []

    async def prepare(directory, version, *, say):
        asked.append((directory, version))

    monkeypatch.setattr("chaos.gateway.install.install_litellm", prepare)
    assert invoke("lab", "--prepare", "--dir", tmp_path).code == 0
    ended = invoke("lab", "--prepare", "--dir", tmp_path, "--litellm-version", "1.108.6")
    assert ended.code == 0
    assert asked == [(tmp_path, LITELLM_VERSION), (tmp_path, "1.108.6")]
