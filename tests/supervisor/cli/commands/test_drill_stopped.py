"""A drill that is stopped, at any time: exit code 4, a partial report, and nothing left."""

import contextlib
import signal
import socket
import time
import urllib.request
from pathlib import Path

import pytest

from tests.fakes.commandline import understudy
from tests.fakes.terminal import CTRL_C, on_terminal
from tests.patience import PATIENCE_S

# Two drills that end, then one that would take a minute.
LONG = ("--group", "claude-opus", "--fault", "billing", "--fault", "hang", "--shape", "chat")


def models(lab):
    """What the lab's gateway routes to."""
    request = urllib.request.Request(f"{lab.url}/model/info")
    request.add_header("authorization", f"Bearer {lab.key}")
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as reply:
        return reply.read()


def listening(port):
    """Tell whether anybody listens on *port*."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def command_lines():
    """What everybody on this machine can see of every process."""
    lines = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            lines.append((process / "cmdline").read_text("utf-8", "replace"))
    return lines


def campaign(lab, *options, **env):
    """Start the long campaign on a terminal."""
    return on_terminal("drill", *lab.options, *LONG, *options, LAB_KEY=lab.key, **env)


def in_the_third_drill(terminal):
    """Wait until the one that hangs is running."""
    terminal.until("2 passed")


def stop_by_key(terminal):
    """As a person does."""
    terminal.press(CTRL_C)


def stop_by_term(terminal):
    """As systemd and CI do."""
    terminal.process.send_signal(signal.SIGTERM)


@pytest.mark.litellm
@pytest.mark.parametrize("stop", [stop_by_key, stop_by_term])
def test_a_campaign_that_is_stopped_reports_what_it_has(shared_lab, stop):
    """Then the witness is gone, the gateway is as before, and the lanes are free again."""
    before = models(shared_lab)
    with campaign(shared_lab) as terminal:
        in_the_third_drill(terminal)
        assert listening(shared_lab.witness_port)
        assert [line for line in command_lines() if shared_lab.key in line] == []
        stop(terminal)
        assert terminal.end() == 4
        assert terminal.left_running() == []
    assert "Traceback" not in terminal.shown
    assert "stopped after 2 of 8 drills" in terminal.shown
    assert "2 passed  1 aborted" in terminal.shown
    assert not listening(shared_lab.witness_port)
    assert models(shared_lab) == before
    again = ("--group", "claude-opus", "--fault", "billing", "--shape", "chat")
    options = (*shared_lab.options, *again, "--concurrency", "4")
    assert understudy("drill", *options, LAB_KEY=shared_lab.key).returncode == 0


@pytest.mark.litellm
def test_ctrl_c_twice_ends_it_as_well(shared_lab):
    """Impatience leaves no traceback and nothing running."""
    with campaign(shared_lab) as terminal:
        in_the_third_drill(terminal)
        terminal.press(CTRL_C + CTRL_C)
        assert terminal.end() == 4
        assert terminal.left_running() == []
    assert "Traceback" not in terminal.shown
    assert not listening(shared_lab.witness_port)


@pytest.mark.litellm
def test_a_killed_drill_leaves_nothing_running(shared_lab):
    """Also when nobody could clean up."""
    before = models(shared_lab)
    with campaign(shared_lab) as terminal:
        in_the_third_drill(terminal)
        terminal.process.kill()
        assert terminal.end() == -signal.SIGKILL
        assert terminal.left_running() == []
    assert not listening(shared_lab.witness_port)
    assert models(shared_lab) == before


def kill(terminal):
    """As the kernel does when memory is short."""
    terminal.process.kill()


@pytest.mark.litellm
@pytest.mark.parametrize(("stop", "code"), [(stop_by_key, 4), (kill, -signal.SIGKILL)])
def test_a_twin_does_not_outlive_its_drill(
    shared_lab, litellm_executable, tmp_path: Path, stop, code
):
    """Neither its processes nor the configuration that holds the gateway's keys."""

    def twins():
        return [line for line in command_lines() if str(tmp_path) in line]

    provider_key = "sk-lab-claudeopus"
    assert provider_key in shared_lab.config.read_text()
    twin = ("--injector", "twin", "--litellm-config", shared_lab.config)
    options = (*twin, "--litellm-bin", litellm_executable)
    with campaign(shared_lab, *options, TMPDIR=str(tmp_path)) as terminal:
        in_the_third_drill(terminal)
        assert twins() != []
        assert not any(key in line for line in twins() for key in (provider_key, shared_lab.key))
        stop(terminal)
        assert terminal.end() == code
    deadline = time.monotonic() + PATIENCE_S
    while twins() and time.monotonic() < deadline:
        pass
    assert twins() == []
    left = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert [file for file in left if provider_key in file.read_text("utf-8")] == []


@pytest.mark.litellm
def test_a_twin_that_is_starting_can_be_stopped(shared_lab, litellm_executable, tmp_path: Path):
    """Nobody waits ten seconds for Ctrl-C."""
    twin = ("--injector", "twin", "--litellm-config", shared_lab.config)
    options = (*twin, "--litellm-bin", litellm_executable)
    with campaign(shared_lab, *options, TMPDIR=str(tmp_path)) as terminal:
        terminal.until("starting a second LiteLLM")
        stop_by_key(terminal)
        assert terminal.end() == 4
    assert list(tmp_path.iterdir()) == []
    assert [line for line in command_lines() if str(tmp_path) in line] == []
    assert "Traceback" not in terminal.shown


@pytest.mark.parametrize("stop", [stop_by_key, stop_by_term])
def test_a_stop_before_the_first_drill_does_not_wait_for_the_gateway(stop):
    """A gateway that hangs cannot hold the command."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with on_terminal("drill", "--gateway", url, "--key-env", "K", K="sk-x") as terminal:
            connection, _ = silent.accept()
            with connection:
                assert connection.recv(1)
                stop(terminal)
                # The gateway never answers: only the stop can have ended it.
                assert terminal.end() == 4
            assert terminal.left_running() == []
    assert "Traceback" not in terminal.shown
    assert "stopped" in terminal.shown


def test_a_terminal_that_goes_away_ends_a_drill_as_a_signal_does():
    """A lost connection leaves no witness behind, and what is said to nobody raises nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with on_terminal("drill", "--gateway", url, "--key-env", "K", K="sk-x") as terminal:
            connection, _ = silent.accept()
            with connection:
                assert connection.recv(1)
                assert terminal.go_away() == 4
            assert terminal.left_running() == []
