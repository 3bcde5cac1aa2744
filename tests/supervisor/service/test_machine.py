"""What a machine and an installation must be."""

from pathlib import Path

import pytest

from supervisor.service import machine as module
from supervisor.service.host import Host, ServiceError
from supervisor.service.machine import (
    check_root,
    is_hidden,
    this_machine,
    unsuitable,
)


@pytest.fixture
def prefix(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation that everybody may enter."""
    folder = tmp_path_factory.mktemp("opt")
    (folder / "bin").mkdir()
    (folder / "lib" / "supervisor").mkdir(parents=True)
    (folder / "bin" / "understudy").touch()
    (folder / "lib" / "supervisor" / "__init__.py").touch()
    for each in folder.parents:
        if each.stat().st_mode & 0o001 == 0:
            each.chmod(0o755)
    folder.chmod(0o755)
    monkeypatch.setattr(module, "HIDDEN", (Path("/home"),))
    return folder


def why_not(prefix: Path, package: Path | None = None) -> list[str]:
    """Say why an installation is not suitable."""
    package = package or prefix / "lib/supervisor/__init__.py"
    return list(unsuitable(prefix / "bin/understudy", package))


def test_an_installation_that_everybody_may_enter_is_suitable(prefix: Path):
    """As pip makes it in /opt."""
    assert why_not(prefix) == []


def test_a_closed_folder_is_named(prefix: Path):
    """With the command that opens it."""
    (prefix / "bin").chmod(0o700)
    assert why_not(prefix) == [
        f"{prefix / 'bin'}: other users may not enter it: chmod o+x {prefix / 'bin'}"
    ]


def test_a_clone_is_no_installation(prefix: Path, tmp_path: Path):
    """It changes under the service's feet."""
    assert "runs a clone at" in why_not(prefix, tmp_path / "clone/supervisor/__init__.py")[0]


@pytest.mark.parametrize(
    ("path", "hidden"),
    [("/home/me/x", True), ("/root/x", True), ("/opt/x", False), ("/homes/x", False)],
)
def test_what_the_sandbox_hides_is_known(path: str, hidden: bool):
    """By whole names of folders."""
    assert is_hidden(Path(path)) is hidden


def test_this_clone_is_refused_and_a_dry_run_is_not(host, commands):
    """Anybody may see what would be written."""
    with pytest.raises(ServiceError, match="runs a clone at"):
        this_machine(host())
    assert this_machine(host(dry=True)).systemd == 257


def test_only_root_on_a_machine_with_systemd_may_change_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Each is said before anything is done."""
    here = Host(lambda _: None)
    monkeypatch.setattr(module, "BOOTED", tmp_path / "gone")
    with pytest.raises(ServiceError, match="systemd does not run this machine"):
        check_root(here)
    monkeypatch.setattr(module, "BOOTED", tmp_path)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(ServiceError, match="only root may"):
        check_root(here)
    check_root(Host(lambda _: None, dry=True))
    monkeypatch.setattr("os.geteuid", lambda: 0)
    check_root(here)
