"""One daemon for one file, for as long as it lives and no longer."""

import fcntl
import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from supervisor.store import daemon_lock
from supervisor.store.daemon_lock import held, holder, lock_of
from supervisor.store.errors import StoreError
from tests.fakes.manual_clock import NOON

ADDRESS = "http://127.0.0.1:8940"

HOLD = """
import sys
from datetime import datetime
from pathlib import Path
from supervisor.store.daemon_lock import held
since = datetime.fromisoformat(sys.argv[2])
with held(Path(sys.argv[1]), daemon="spark-1", since=since, address=sys.argv[3]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A store's file, in a folder that is not there yet."""
    return tmp_path / "state" / "understudy.db"


@contextmanager
def another_daemon(file: Path) -> Iterator[subprocess.Popen[str]]:
    """Hold the lock of *file* in a process of its own, until its input ends."""
    command = [sys.executable, "-c", HOLD, str(file), NOON.isoformat(), ADDRESS]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def take(file: Path) -> dict[str, object] | None:
    """Hold the lock of *file* for a moment, and return what it then says."""
    with held(file, daemon="spark-2", since=NOON, address=ADDRESS):
        return holder(file)


def test_a_second_daemon_is_refused_and_learns_who_the_first_is(file: Path):
    """The refusal names the other process by its name, its number and when it started."""
    with another_daemon(file) as first:
        with pytest.raises(StoreError) as caught:
            take(file)
        assert caught.value.message == (
            f"the store {file} belongs to a running daemon: 'spark-1' "
            f"(process {first.pid}, since 2026-03-01T12:00:00+00:00)"
        )
        assert caught.value.permanent
        assert "understudy status" in caught.value.remedy


def test_a_refused_daemon_changes_nothing(file: Path):
    """The first still holds the lock, under its own name, after the second was refused."""
    with another_daemon(file) as first:
        for _ in range(2):
            with pytest.raises(StoreError, match="'spark-1'"):
                take(file)
        assert (holder(file) or {})["pid"] == first.pid


def test_who_holds_it_can_be_asked_without_disturbing(file: Path):
    """Asking returns all that the holder wrote, changes no byte, and lets nobody else in."""
    with another_daemon(file) as first:
        before = lock_of(file).read_bytes()
        for _ in range(3):
            assert holder(file) == {
                "daemon": "spark-1",
                "pid": first.pid,
                "since": "2026-03-01T12:00:00+00:00",
                "address": ADDRESS,
            }
        assert lock_of(file).read_bytes() == before
        with pytest.raises(StoreError, match="belongs to a running daemon"):
            take(file)


def test_a_killed_daemon_holds_nothing(file: Path):
    """What kill -9 left in the lock names nobody, and the next daemon writes its own name."""
    with another_daemon(file) as first:
        first.kill()
        assert first.wait() == -signal.SIGKILL
    assert json.loads(lock_of(file).read_bytes())["daemon"] == "spark-1"
    assert holder(file) is None
    assert (take(file) or {})["daemon"] == "spark-2"


def test_a_daemon_that_ends_lets_go(file: Path):
    """The lock is free, and names nobody, as soon as its holder has ended."""
    with another_daemon(file) as first:
        assert first.stdin is not None
        first.stdin.close()
        assert first.wait() == 0
    assert lock_of(file).read_bytes() == b""
    assert holder(file) is None
    assert (take(file) or {})["daemon"] == "spark-2"


def test_a_daemon_that_fails_lets_go(file: Path):
    """An error inside the block goes through, and the lock is free after it."""
    with pytest.raises(LookupError), held(file, daemon="a", since=NOON, address=ADDRESS):
        raise LookupError
    assert holder(file) is None
    assert (take(file) or {})["daemon"] == "spark-2"


def test_a_longer_name_before_leaves_no_rest(file: Path):
    """What the holder wrote is readable where a longer text was before it."""
    file.parent.mkdir()
    lock_of(file).write_text("x" * 1_000)
    assert (take(file) or {})["daemon"] == "spark-2"


@pytest.mark.parametrize("words", ["", "no JSON", '["a list"]'])
def test_a_holder_that_wrote_nothing_readable_is_still_a_holder(file: Path, words: str):
    """A lock that is held is never reported as free, whatever is written in it."""
    with another_daemon(file):
        lock_of(file).write_text(words)
        assert holder(file) == {}
        with pytest.raises(StoreError, match="running daemon: another"):
            take(file)


def test_a_lock_that_nobody_made_is_held_by_nobody(file: Path):
    """Asking makes no file and no folder."""
    assert holder(file) is None
    assert not file.parent.exists()


def test_two_files_have_two_locks(file: Path):
    """A daemon with another store in the same folder is not refused."""
    with another_daemon(file):
        assert (take(file.with_name("other.db")) or {})["daemon"] == "spark-2"


def test_the_lock_is_for_its_owner_only(file: Path):
    """Neither the lock nor the folder that was made for it can be read by others."""
    take(file)
    assert stat.S_IMODE(lock_of(file).stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_lock_that_cannot_be_made_is_reported(file: Path):
    """The message names the lock and the system's reason."""
    lock_of(file).mkdir(parents=True)
    with pytest.raises(StoreError) as caught:
        take(file)
    assert caught.value.message == f"the lock {lock_of(file)} cannot be made: Is a directory"
    assert caught.value.permanent


def test_whoever_only_looks_keeps_no_daemon_from_starting(tmp_path, monkeypatch):
    """A look takes the lock for a moment; the daemon tries again."""
    file = tmp_path / "understudy.db"
    lock = daemon_lock.lock_of(file)
    looking = os.open(lock, os.O_RDWR | os.O_CREAT)
    fcntl.flock(looking, fcntl.LOCK_SH)
    monkeypatch.setattr("time.sleep", lambda _: os.close(looking))
    with daemon_lock.held(file, daemon="spark-1", since=NOON, address="127.0.0.1:1"):
        assert (daemon_lock.holder(file) or {})["daemon"] == "spark-1"


def test_a_full_disk_keeps_no_daemon_from_starting(tmp_path, monkeypatch):
    """It holds the lock, without a name in it."""
    file = tmp_path / "understudy.db"

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.pwrite", full)
    with daemon_lock.held(file, daemon="spark-1", since=NOON, address="127.0.0.1:1"):
        assert daemon_lock.holder(file) == {}
