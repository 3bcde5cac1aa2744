"""Changes of a machine, and their ways back."""

import stat
from pathlib import Path

import pytest

from supervisor.service.host import Host, ServiceError, problems_at_once

FILE = Path("/etc/understudy/understudy.yaml")


def test_a_file_is_written_with_its_mode_and_only_once(host, root: Path, said: list[str]):
    """A second time it is unchanged, and says so."""
    host().write(FILE, b"a", mode=0o640, group="understudy")
    host().write(FILE, b"a", mode=0o640, group="understudy")
    file = root / "etc/understudy/understudy.yaml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert said == [f"write  {FILE}", f"unchanged  {FILE}"]
    assert [each.name for each in file.parent.iterdir() if each.is_file()] == ["understudy.yaml"]


def test_a_file_with_another_mode_is_written_anew(host, root: Path):
    """A key that everybody may read is not as it should be, whatever it says."""
    file = root / "etc/understudy/credentials/KEY"
    file.write_text("sk")
    file.chmod(0o644)
    host().write(Path("/etc/understudy/credentials/KEY"), b"sk", mode=0o600, secret=True)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_fails_later_puts_everything_back(host, root: Path):
    """A new file is gone, a changed one is as it was, and so is a link."""
    old, new = root / "etc/understudy/old", root / "etc/understudy/new"
    old.write_text("before")
    here = host()
    here.write(Path("/etc/understudy/old"), b"after")
    here.write(Path("/etc/understudy/new"), b"new")
    here.link(Path("/usr/local/bin/understudy"), Path("/opt/understudy/bin/understudy"))
    assert old.read_text() == "after"
    here.undo.close()
    assert old.read_text() == "before"
    assert not new.exists()
    assert not (root / "usr/local/bin/understudy").is_symlink()


def test_somebody_else_s_command_is_left_alone(host, root: Path, said: list[str]):
    """It may be a script of theirs."""
    (root / "usr/local/bin/understudy").write_text("#!/bin/sh")
    host().link(Path("/usr/local/bin/understudy"), Path("/opt/understudy/bin/understudy"))
    assert (root / "usr/local/bin/understudy").read_text() == "#!/bin/sh"
    assert said[0].startswith("left alone  /usr/local/bin/understudy")


def test_a_dry_run_changes_nothing_and_shows_no_secret(host, root: Path, commands, said: list[str]):
    """But the text of everything else."""
    here = host(dry=True)
    here.write(FILE, b"gateway:\n  url: x", mode=0o640)
    here.write(Path("/etc/understudy/credentials/KEY"), b"sk-secret", secret=True)
    here.link(Path("/usr/local/bin/understudy"), Path("/opt/understudy/bin/understudy"))
    here.run("systemctl", "daemon-reload")
    assert not (root / "etc/understudy/understudy.yaml").exists()
    assert commands.calls == []
    assert said[0] == f"would write  {FILE}\n    gateway:\n      url: x"
    assert said[1:] == [
        "would write  /etc/understudy/credentials/KEY",
        "would link  /usr/local/bin/understudy to /opt/understudy/bin/understudy",
        "would run  systemctl daemon-reload",
    ]


def test_a_command_that_fails_is_quoted(host, commands):
    """With its own words, and what to do."""
    commands.failing("systemctl start x")
    with pytest.raises(ServiceError, match="the port cannot be held: no luck") as failed:
        host().run("systemctl", "start", "x", wrong="the port cannot be held", remedy="Free it.")
    assert failed.value.remedy == "Free it."


def test_a_look_that_fails_put_nothing_back(host, commands):
    """Nothing was changed for it."""
    commands.failing("systemctl show")
    with pytest.raises(ServiceError) as told:
        host().run("systemctl", "show", shown=False)
    assert told.value.remedy == "This needs a machine that runs systemd."


def test_a_command_that_is_not_there_is_named(host):
    """A machine without systemd."""
    with pytest.raises(ServiceError, match="no-such-command x: No such file"):
        host().run("no-such-command", "x")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path):
    """Without a trace of Python."""
    (tmp_path / "etc").write_text("a file where a folder should be")
    with pytest.raises(ServiceError, match=r"/etc/understudy/understudy\.yaml cannot be"):
        Host(lambda _: None, root=tmp_path).write(FILE, b"a")


def test_all_problems_are_named_at_once():
    """Nobody wants to run it five times."""
    with pytest.raises(ServiceError, match=r"x: 2 problems\n  a\n  b"):
        problems_at_once(["a", "b"], "x")
    problems_at_once([], "x")
