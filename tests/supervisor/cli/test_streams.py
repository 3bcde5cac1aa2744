"""Standard streams that are closed, full or gone end no command in a way that explains nothing."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.commandline import SCRIPT, environment
from tests.patience import PATIENCE_S

FULL = Path("/dev/full")


def shell(line: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run *line*, in which ``$U`` is the script."""
    return subprocess.run(
        ["/bin/sh", "-c", line],
        env=environment(U=str(SCRIPT), **env),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


DOWN = "drill --local --gateway http://127.0.0.1:1 --key-env KEY"


@pytest.mark.parametrize("closed", [">&-", "<&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_aborts_nothing(closed: str):
    """Or the loop's own files would take its number, and libuv would end the process."""
    ended = shell(f"$U {DOWN} {closed}", KEY="sk-test")
    assert ended.returncode == 2
    assert ("cannot be reached" in ended.stderr) is ("2>&-" not in closed)


def test_what_is_started_gets_open_streams_too():
    """A program that is started with a closed one has the same trouble."""
    inner = "import os; [os.fstat(n) for n in (0, 1, 2)]; os._exit(7)"
    code = (
        "import subprocess, sys; from supervisor.cli import streams; streams.prepare();"
        f"print('lost'); sys.exit(subprocess.call([sys.executable, '-c', {inner!r}]))"
    )
    ended = shell(f"{sys.executable} -c {code!r} <&- >&-".replace("\\'", "'\"'\"'"))
    assert ended.returncode == 7, ended.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize(
    "command", ["--help", "--version", "drill --help", "faults", "faults --format json"]
)
def test_a_full_output_is_told(command: str, unbuffered: str):
    """Whoever wrote into a file would otherwise take half of it for all of it."""
    ended = shell(f"$U {command} > {FULL}", PYTHONUNBUFFERED=unbuffered)
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[0] == (
        "error: standard output could not be written: No space left on device"
    )
    assert "Traceback" not in ended.stderr


def test_a_drill_names_the_option_that_helps():
    """It has cost time to make what cannot be written."""
    assert "--output FILE" in shell(f"$U drill --help > {FULL}").stderr


def test_a_limit_on_files_is_told(tmp_path: Path):
    """It is another error of the system, and the same sentence."""
    ended = shell(f"ulimit -f 0; $U faults > {tmp_path}/report")
    assert ended.returncode == 2
    assert "standard output could not be written: File too large" in ended.stderr


def test_progress_that_nobody_can_read_changes_nothing():
    """Results come, with their own exit code."""
    code = (
        "from supervisor.cli import streams; streams.prepare();"
        "from supervisor.cli.console import say, print_json; say('x' * 9999); print_json('{}');"
        "streams.flush()"
    )
    ended = shell(f'{sys.executable} -c "{code}" 2> {FULL}')
    assert (ended.returncode, ended.stdout) == (0, "{}\n")


GONE = """
import os, sys
from supervisor.cli import streams
streams.prepare()
from supervisor.cli.console import say, out, print_json
say("ready")
sys.stdin.read()
for _ in range(3):
    say("progress"); out.print("result"); print_json("{}")
streams.flush()
os._exit(5)
"""


def test_a_terminal_that_is_gone_raises_nothing():
    """What a signal has ended still cleans up, and says so to nobody."""
    screen, keyboard = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", GONE],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=keyboard,
        stderr=keyboard,
    )
    os.close(keyboard)
    assert b"ready" in os.read(screen, 100)
    os.close(screen)
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 5
