"""The unit files as a machine needs them."""

import shutil
import subprocess
from pathlib import Path

import pytest

from supervisor.service.units import Machine, service_unit, socket_unit, source
from supervisor.settings.file import parse_settings

NEW = Machine(257, Path("/opt/understudy/bin/understudy"), "1.2.3")
OLD = Machine(252, Path("/srv/understudy/bin/understudy"), "1.2.3")
CREDENTIALS = {"KEY": Path("/etc/understudy/credentials/KEY"), "t": Path("/etc/keys/t")}


def lines(unit: str, *names: str) -> list[str]:
    """Pick settings of a unit."""
    return [line for line in unit.splitlines() if line.startswith(names)]


def test_a_new_systemd_is_told_of_reloads_by_the_daemon():
    """And restarts ever more slowly."""
    unit = service_unit(NEW, CREDENTIALS)
    assert lines(unit, "Type", "ExecStart", "ExecReload", "LoadCredential", "RestartSteps") == [
        "Type=notify-reload",
        "ExecStart=/opt/understudy/bin/understudy run",
        "ExecReload=/opt/understudy/bin/understudy config check",
        "LoadCredential=KEY:/etc/understudy/credentials/KEY",
        "LoadCredential=t:/etc/keys/t",
        "RestartSteps=6",
    ]
    assert "Understudy 1.2.3" in unit.splitlines()[0]


def test_an_older_systemd_gets_what_it_knows():
    """Debian 12's: the signal is sent by a command, before the file is checked."""
    unit = service_unit(OLD, {})
    assert lines(unit, "Type", "Exec", "Load", "RestartS", "RestartM") == [
        "Type=notify",
        "ExecStart=/srv/understudy/bin/understudy run",
        "ExecReload=/bin/kill -HUP $MAINPID",
        "ExecReload=/srv/understudy/bin/understudy config check",
        "RestartSec=5",
    ]


def test_the_socket_unit_holds_what_the_witness_listens_on():
    """Every address of the configuration."""
    settings = parse_settings(
        'witness: {listen: ["172.17.0.1:8941", "127.0.0.1:9000"]}', name="understudy.yaml"
    )
    assert lines(socket_unit(NEW, settings), "ListenStream", "FreeBind") == [
        "ListenStream=172.17.0.1:8941",
        "ListenStream=127.0.0.1:9000",
        "FreeBind=yes",
    ]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="tests/box verifies them too")
def test_the_sandbox_leaves_little_exposed(tmp_path: Path):
    """At most 1.5 of 10, by systemd's own measure; read from the file, as nothing is installed."""
    unit = tmp_path / "understudy.service"
    unit.write_text(service_unit(OLD, CREDENTIALS))
    ran = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=15", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Overall exposure level" in ran.stdout


@pytest.mark.parametrize("name", ["understudy.sysusers", "understudy.tmpfiles"])
def test_what_a_wheel_brings_is_read_where_it_is(name: str):
    """In a clone, under deploy/systemd."""
    assert "understudy" in source(name)
