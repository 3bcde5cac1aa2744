"""A guarded process says what it says into its log, and is gone when we are.

How a whole tree of processes dies with us is held by ``test_litellm_process.py``.
"""

import asyncio
import os
import socket
import stat
import sys

import pytest

from chaos.errors import SetupError
from chaos.process.guarded_process import HOST, held_port, start, write_private
from tests.patience import PATIENCE_S


async def ended(process):
    """Wait until it has ended."""
    async with asyncio.timeout(PATIENCE_S):
        while process.running:
            await asyncio.sleep(0.01)


async def test_it_runs_in_its_directory_with_what_it_is_given(tmp_path, monkeypatch):
    """It sees its own folder as its home, what was added, and nothing else of ours."""
    monkeypatch.setenv("A_SECRET_OF_OURS", "sk-ours")
    tell = "import os; print(os.getcwd(), os.environ['HOME'], os.environ['ADDED'], 'ours' in "
    process = await start(
        [sys.executable, "-c", tell + "str(os.environ))"],
        directory=tmp_path,
        log_path=tmp_path / "log",
        environment={"ADDED": "yes"},
    )
    await ended(process)
    await process.stop()
    assert (tmp_path / "log").read_text().split() == [str(tmp_path), str(tmp_path), "yes", "False"]
    assert process.exit_code == 0


async def test_its_last_words_are_its_own(tmp_path):
    """What it said last is quoted, a line each, without the empty ones."""
    process = await start(
        [sys.executable, "-c", "print('one\\n\\ntwo'); raise SystemExit(3)"],
        directory=tmp_path,
        log_path=tmp_path / "log",
        environment={},
    )
    await ended(process)
    await process.stop()
    assert process.last_words() == "  one\n  two"
    assert process.exit_code == 3


async def test_a_silent_one_said_nothing(tmp_path):
    """An empty log is told as such."""
    process = await start(
        [sys.executable, "-c", "pass"], directory=tmp_path, log_path=tmp_path / "l", environment={}
    )
    await ended(process)
    await process.stop()
    assert process.last_words() == "  nothing"


@pytest.mark.parametrize("other", [None, "notes"])
async def test_a_secret_file_goes_with_it(tmp_path, other):
    """What must not be left behind is removed when we are gone, and the folder if it is empty."""
    folder = tmp_path / "fol der"
    folder.mkdir()
    secret = folder / "secret"
    if other is not None:
        (folder / other).write_text("of somebody else")
    write_private(secret, "sk-made-up")
    process = await start(
        [sys.executable, "-c", "import time; time.sleep(600)"],
        directory=folder,
        log_path=folder / "log",
        environment={},
        remove=(secret, folder / "log"),
    )
    # What removes it is the pipe's end alone, as after a kill -9 of ours.
    os.close(process._lifeline)
    process._lifeline = os.open(os.devnull, os.O_RDONLY)
    await ended(process)
    await process.stop()
    left = None if other is None else [folder / other]
    assert (list(folder.iterdir()) if folder.exists() else None) == left
    assert process.exit_code == -9


def test_a_private_file_is_private_also_where_an_open_one_was(tmp_path):
    """Writing over a file that all may read leaves one that only we may."""
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, "new")
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_held_port_is_refused_and_not_given_away():
    """A port that is held answers nobody, and nobody who asks for any port gets it."""
    with held_port(None, of="a test") as port, socket.socket() as caller:
        assert caller.connect_ex((HOST, port)) != 0


def test_a_port_in_use_names_who_wanted_it():
    """A port that somebody listens on is told with the name of what it was meant for."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen()
        port = listener.getsockname()[1]
        taken = pytest.raises(SetupError, match=f"port {port} for a test is taken")
        with taken, held_port(port, of="a test"):
            pass


async def test_what_it_started_may_tidy_up(tmp_path):
    """A child that cleans up after the process has gone is not killed in the middle of it."""
    child = (
        "import os, sys, time\n"
        "parent = os.getppid()\n"
        "print('up', flush=True)\n"
        "while os.getppid() == parent: time.sleep(0.01)\n"
        "time.sleep(0.2)\n"
        "open('tidied', 'w').close()\n"
    )
    process = await start(
        [
            sys.executable,
            "-c",
            f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {child!r}]).wait()",
        ],
        directory=tmp_path,
        log_path=tmp_path / "log",
        environment={},
    )
    async with asyncio.timeout(PATIENCE_S):
        while not (tmp_path / "log").read_text():
            await asyncio.sleep(0.01)
    await process.stop(tidy_within_s=PATIENCE_S)
    assert (tmp_path / "tidied").exists()
