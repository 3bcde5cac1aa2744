"""``understudy service``, as far as it can be run beside a clone; tests/box runs the rest."""

import json
from pathlib import Path

from tests.fakes.commandline import understudy
from tests.fakes.systemd_commands import systemd_commands

CONFIG = "gateway: {url: 'http://127.0.0.1:4000', key: {env: KEY}}\n"


def test_a_dry_run_shows_everything_and_changes_nothing(tmp_path: Path, monkeypatch):
    """Also to somebody who is not root."""
    commands = systemd_commands(tmp_path / "commands", monkeypatch, version=252)
    config = tmp_path / "understudy.yaml"
    config.write_text(CONFIG)
    ran = understudy("service", "install", "--dry-run", "--config", config, KEY="sk-secret")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "would run  systemctl restart understudy.service" in ran.stdout
    assert "    Type=notify\n" in ran.stdout
    assert "sk-secret" not in ran.stdout
    assert commands.calls == ["systemctl --version"]


def test_a_key_that_is_nowhere_is_exit_1(tmp_path: Path, monkeypatch):
    """The message says what to type."""
    systemd_commands(tmp_path / "commands", monkeypatch)
    config = tmp_path / "understudy.yaml"
    config.write_text(CONFIG)
    ran = understudy("service", "install", "--dry-run", "--config", config)
    assert ran.returncode == 1
    assert "install -D -m 600 /dev/stdin /etc/understudy/credentials/KEY" in ran.stderr


def test_a_broken_configuration_is_exit_2(tmp_path: Path, monkeypatch):
    """As everywhere."""
    systemd_commands(tmp_path / "commands", monkeypatch)
    config = tmp_path / "understudy.yaml"
    config.write_text("nonsense: 1\n")
    ran = understudy("service", "install", "--dry-run", "--config", config)
    assert ran.returncode == 2
    assert "unknown key" in ran.stderr


def test_the_status_of_a_service_that_is_not_installed_is_exit_1(tmp_path: Path, monkeypatch):
    """As a table and as JSON."""
    commands = systemd_commands(tmp_path / "commands", monkeypatch)
    commands.printing("LoadState=not-found\nActiveState=inactive\n")
    shown = understudy("service", "status")
    assert (shown.returncode, "not installed" in shown.stdout) == (1, True)
    answered = understudy("service", "status", "--format", "json")
    assert answered.returncode == 1
    assert json.loads(answered.stdout)["schema"] == "understudy/service/1"


def test_a_configuration_that_is_not_there_is_exit_2(tmp_path: Path, monkeypatch):
    """With the command that writes one."""
    systemd_commands(tmp_path / "commands", monkeypatch)
    ran = understudy("service", "install", "--dry-run", "--config", tmp_path / "gone.yaml")
    assert ran.returncode == 2
    assert "gone.yaml: cannot be read: No such file" in ran.stderr
    assert "understudy init" in ran.stderr
