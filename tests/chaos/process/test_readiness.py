"""Tests of waiting for a process of ours: progress, limits, and what is left of a failed start."""

import sys
from pathlib import Path

import pytest

from chaos.errors import SetupError
from chaos.process import guarded_process
from chaos.process.readiness import KEPT_LOGS, StartLimit, keep_log, log_folder, until_ready

SAYS_AND_STAYS = "print('one', flush=True); import time; time.sleep(600)"
SAYS_AND_ENDS = "print('no such flag', flush=True); raise SystemExit(3)"


async def started(directory: Path, code: str):
    """Start a Python that runs *code*."""
    return await guarded_process.start(
        [sys.executable, "-c", code],
        directory=directory,
        log_path=directory / "thing.log",
        environment={},
    )


def answers_at(look: int):
    """Answer at that look, and not before."""
    looks = iter(range(1, 10_000))

    async def answers() -> bool:
        return next(looks) >= look

    return answers


async def test_a_slow_start_reports_progress_with_its_limit_and_the_load(tmp_path):
    """While nothing answers, it says for how long, what the limit is, and where the log is."""
    process = await started(tmp_path, SAYS_AND_STAYS)
    said: list[str] = []
    try:
        await until_ready(
            process,
            answers_at(4),
            name="Thing",
            limit=StartLimit(500, "thing.start_within_s"),
            remedy="",
            say=said.append,
            tell_every_s=0,
        )
    finally:
        await process.stop()
    assert len(said) == 3
    assert said[0].startswith("Thing has been starting for 0 s (limit 500 s; load average")
    assert said[0].endswith(f"log: {tmp_path / 'thing.log'}")


async def test_a_start_that_fails_keeps_its_log_where_it_says(tmp_path):
    """The folder of the process goes with it; its log does not."""
    directory = tmp_path / "temporary"
    directory.mkdir()
    process = await started(directory, SAYS_AND_ENDS)
    try:
        with pytest.raises(SetupError, match="ended with code 3") as raised:
            await until_ready(
                process,
                answers_at(9_999),
                name="Thing",
                limit=StartLimit(500, "thing.start_within_s"),
                remedy="Fix the flag.",
            )
    finally:
        await process.stop()
    (kept,) = log_folder().glob("thing-*.log")
    assert f"its log is kept at {kept}" in raised.value.message
    assert kept.read_text() == "no such flag\n"
    assert kept.stat().st_mode & 0o077 == 0
    # It did not run into its limit: nothing else is to be advised than what it complains about.
    assert raised.value.remedy == "Fix the flag."


def test_only_the_newest_logs_are_kept(tmp_path):
    """A start that fails every night does not fill the disk."""
    for number in range(KEPT_LOGS + 3):
        log = tmp_path / f"thing{number:02}.log"
        log.write_text(f"{number}")
        kept = keep_log(log)
        assert kept is not None
    left = sorted(path.read_text() for path in log_folder().glob("*.log"))
    assert len(left) == KEPT_LOGS
    assert f"{KEPT_LOGS + 2}" in left


def test_a_log_that_cannot_be_kept_is_no_second_error(tmp_path, monkeypatch):
    """Without a place for it there is still a message, which says so."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    (tmp_path / "thing.log").write_text("x")
    assert keep_log(tmp_path / "thing.log") is None


def test_the_state_directory_of_systemd_comes_first(monkeypatch):
    """A service keeps its logs in its own state directory."""
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/understudy")
    assert log_folder() == Path("/var/lib/understudy/logs")
