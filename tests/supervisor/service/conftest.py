"""A machine in a folder."""

import grp
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from supervisor.service.host import Host
from tests.fakes.systemd_commands import SystemdCommands, systemd_commands


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SystemdCommands:
    """The commands of systemd."""
    return systemd_commands(tmp_path / "commands", monkeypatch)


@pytest.fixture(autouse=True)
def group(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every group is the one of whoever runs the tests."""
    monkeypatch.setattr(grp, "getgrnam", lambda _: SimpleNamespace(gr_gid=os.getgid()))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """What the machine has as its root folder."""
    folder = tmp_path / "root"
    for each in ("etc/systemd/system", "etc/understudy/credentials", "usr/local/bin"):
        (folder / each).mkdir(parents=True)
    return folder


@pytest.fixture
def said() -> list[str]:
    """What was reported."""
    return []


@pytest.fixture
def host(root: Path, said: list[str]) -> Callable[..., Host]:
    """Make hosts of that machine."""
    return lambda **options: Host(said.append, root=root, **options)
