"""``understudy run``: the daemon, as people and systemd start and stop it."""

import json
import signal
import socket
import subprocess
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from chaos.process.ports import free_port
from tests.fakes.commandline import SCRIPT, starting, understudy
from tests.patience import PATIENCE_S


@contextmanager
def daemon(lab, folder: Path, **rehearse):
    """Run one beside *lab*, with its store in *folder*; yields its process and its API."""
    witness, api = f"127.0.0.1:{lab.witness_port}", f"127.0.0.1:{free_port()}"
    config = folder / "understudy.yaml"
    config.write_text(
        yaml.safe_dump(
            {
                "gateway": {"url": lab.url, "key": {"env": "LAB_KEY"}},
                "witness": {"listen": [witness], "url": f"http://{witness}"},
                "web": {"listen": [api]},
                "store": {"url": f"sqlite:///{folder / 'understudy.db'}"},
                "rehearse": {"shapes": ["chat", "tool_call"], **rehearse},
            }
        )
    )
    process = starting("run", "--config", config, LAB_KEY=lab.key)
    try:
        assert process.stderr is not None
        first = process.stderr.readline()
        assert "daemon.started" in first, first + process.stderr.read()
        yield process, f"http://{api}"
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)


def get(url: str):
    """Ask the API."""
    with urllib.request.urlopen(url, timeout=PATIENCE_S) as reply:
        return json.load(reply)


def until(url: str, holds):
    """Ask the API until its answer is right."""
    until_s = time.monotonic() + PATIENCE_S
    while not holds(answer := get(url)):
        assert time.monotonic() < until_s, answer
        time.sleep(0.1)
    return answer


@pytest.mark.litellm
def test_it_finds_what_is_broken_by_itself(shared_lab, tmp_path: Path):
    """The real LiteLLM, whose engine runs without its tool flags: plain chat is proven, and every
    path with a tool call fails with its reason.
    """
    with daemon(shared_lab, tmp_path, groups={"gp*": {"enabled": False}}) as (process, api):
        status = until(
            f"{api}/api/v1/status",
            lambda s: s["states"] and not s["states"].get("never_proven") and not s["running"],
        )
        assert status["problems"] == []
        paths = get(f"{api}/api/v1/coverage")["paths"]
        served = [path for path in paths if path["hop"] == "gemma"]
        states = {(path["shape"], path["state"], path["kind"]) for path in served}
        assert states == {("chat", "proven", None), ("tool_call", "failed", "hop_failed")}
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PATIENCE_S) == 143
        log = [json.loads(line) for line in process.stderr]
        assert log[-1]["event"] == "daemon.stopped"
        assert shared_lab.key not in json.dumps(log)


@pytest.mark.litellm
def test_a_reload_by_signal_keeps_the_old_configuration_where_the_new_is_broken(
    shared_lab, tmp_path: Path
):
    """And says why on the API; the next good one is taken."""
    with daemon(shared_lab, tmp_path, enabled=False) as (process, api):
        file = tmp_path / "understudy.yaml"
        good = file.read_text()
        file.write_text(good + "\nrehears: {}\n")
        process.send_signal(signal.SIGHUP)
        status = until(f"{api}/api/v1/status", lambda s: s["reload_refused"])
        assert "did you mean 'rehearse'" in status["reload_refused"]
        file.write_text(good)
        process.send_signal(signal.SIGHUP)
        until(f"{api}/api/v1/status", lambda s: s["reload_refused"] is None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "no gateway is named"),
        (("--gateway", "http://127.0.0.1:1"), "no key for the gateway"),
        (("--gateway", "http://127.0.0.1:1", "--key-env", "NOT_SET"), "NOT_SET is empty or not"),
    ],
)
def test_what_cannot_start_says_why_and_ends_with_2(arguments, message, tmp_path: Path):
    """Before anything is opened."""
    ended = understudy("run", *arguments, XDG_STATE_HOME=str(tmp_path))
    assert ended.returncode == 2
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_file_that_says_nothing_is_refused(tmp_path: Path):
    """Options would make up for it, and the reload that reads it again would lose them."""
    (tmp_path / "empty.yaml").write_text("# gateway:\n")
    options = ("--gateway", "http://127.0.0.1:1", "--key-env", "KEY")
    ended = understudy("run", "--config", tmp_path / "empty.yaml", *options, KEY="sk-x")
    assert ended.returncode == 2
    assert "says nothing" in ended.stderr


def test_a_store_that_cannot_be_is_said(tmp_path: Path):
    """With what, where and what to do about it."""
    (tmp_path / "understudy").write_text("a file where the folder should be")
    key = {"KEY": "sk-x", "XDG_STATE_HOME": str(tmp_path)}
    ended = understudy("run", "--gateway", "http://127.0.0.1:1", "--key-env", "KEY", **key)
    assert ended.returncode == 2
    assert str(tmp_path / "understudy") in ended.stderr
    assert "→" in ended.stderr


def test_ctrl_c_ends_it_in_order(tmp_path: Path):
    """Also while its gateway is down: exit code 130, and no traceback."""
    witness, api = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    ports = {
        "web": {"listen": [api]},
        "witness": {"listen": [witness], "url": f"http://{witness}"},
    }
    config = tmp_path / "understudy.yaml"
    config.write_text(yaml.safe_dump(ports))
    process: subprocess.Popen[str] = starting(
        *("run", "--config", config, "--gateway", "http://127.0.0.1:1", "--key-env", "KEY"),
        KEY="sk-x",
        XDG_STATE_HOME=str(tmp_path),
    )
    assert process.stderr is not None
    assert "daemon.started" in process.stderr.readline()
    assert "gateway.away" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, log = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert "Traceback" not in log
    assert "daemon.stopped" in log


def test_a_start_that_fails_sends_away_who_waits_at_a_held_socket(tmp_path: Path):
    """Else systemd would start the daemon for that connection again and again."""
    config = tmp_path / "understudy.yaml"
    config.write_text("nonsense: 1\n")
    with socket.create_server(("127.0.0.1", 0)) as held:
        # As systemd does: the socket is descriptor three, of exactly this process.
        run = f"exec {SCRIPT} run --config {config} 3<&{held.fileno()}"
        with socket.create_connection(held.getsockname()) as caller:
            ran = subprocess.run(
                ["bash", "-c", f"LISTEN_FDS=1 LISTEN_PID=$$ {run}"],
                pass_fds=(held.fileno(),),
                capture_output=True,
                text=True,
                timeout=PATIENCE_S,
                check=False,
            )
            assert (ran.returncode, "unknown key" in ran.stderr) == (2, True)
            caller.settimeout(PATIENCE_S)
            assert caller.recv(1) == b""
