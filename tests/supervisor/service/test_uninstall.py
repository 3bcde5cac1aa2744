"""Everything that was installed is removed, and nothing of what was remembered."""

from pathlib import Path

import pytest

from supervisor.service import uninstall as module
from supervisor.service.uninstall import uninstall


@pytest.fixture(autouse=True)
def user(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service's user is there."""
    monkeypatch.setattr(module, "user_exists", lambda _: True)


@pytest.fixture
def installed(root: Path) -> Path:
    """A machine with the service, a change of its owner's, and a store."""
    for name in (
        "etc/systemd/system/understudy.service",
        "etc/systemd/system/understudy-witness.socket",
        "etc/systemd/system/understudy.service.d/override.conf",
        "etc/sysusers.d/understudy.conf",
        "etc/tmpfiles.d/understudy.conf",
        "etc/understudy/credentials/KEY",
        "etc/understudy/understudy.yaml",
        "etc/understudy/environment",
        "var/lib/understudy/understudy.db",
        "etc/other",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    (root / "usr/local/bin/understudy").symlink_to("/opt/understudy/bin/understudy")
    return root


def test_only_the_store_is_left(host, installed: Path, commands):
    """With the configuration beside it, and for root alone: the user's number may be reused."""
    uninstall(host())
    left = {str(f.relative_to(installed)) for f in installed.rglob("*") if not f.is_dir()}
    assert left == {
        "etc/other",
        "var/lib/understudy/understudy.db",
        "var/lib/understudy/understudy.yaml",
    }
    assert not (installed / "etc/understudy").exists()
    assert commands.calls == [
        "systemctl disable --now --quiet understudy.service understudy-witness.socket",
        "systemctl daemon-reload",
        "chown root:root /var/lib/understudy",
        "userdel understudy",
    ]


def test_a_machine_without_it_is_left_as_it_is(host, root: Path, commands, monkeypatch):
    """A second run does nothing."""
    monkeypatch.setattr(module, "user_exists", lambda _: False)
    uninstall(host())
    uninstall(host())
    assert commands.calls == []


def test_a_dry_run_removes_nothing(host, installed: Path, commands, said: list[str]):
    """It says what would go."""
    before = sorted(installed.rglob("*"))
    uninstall(host(dry=True))
    assert sorted(installed.rglob("*")) == before
    assert commands.calls == []
    assert "would remove  /etc/systemd/system/understudy.service" in said
    assert "would run  userdel understudy" in said
