"""What a crash leaves behind."""

import resource
import subprocess
import sys
from pathlib import Path

from chaos.process.core_dumps import forbid_core_dumps

CRASH = """
import resource, subprocess, sys
resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
if sys.argv[1] == "forbid":
    from chaos.process.core_dumps import forbid_core_dumps
    forbid_core_dumps()
subprocess.run(["cat", "/proc/self/limits", "/proc/self/coredump_filter"], check=True)
"""


def told(how: str) -> str:
    """Give what the kernel knows of a child of a process that has forbidden cores, or not."""
    return subprocess.run(
        [sys.executable, "-c", CRASH, how], capture_output=True, text=True, check=True
    ).stdout


def test_no_core_is_written_of_a_process_and_its_children():
    """The limit is 0 for good, and no page of memory goes to a program that takes cores."""
    limits, _, pages = told("forbid").rpartition("\n0")
    (line,) = (line for line in limits.splitlines() if line.startswith("Max core file size"))
    assert line.split()[4:6] == ["0", "0"]
    assert int(pages or "0", 16) == 0


def test_without_it_cores_would_be_written():
    """Else the test above would prove nothing."""
    assert "Max core file size        unlimited" in told("allow")


def test_where_there_is_no_proc_the_limit_still_holds(monkeypatch, tmp_path: Path):
    """A sandbox without /proc starts all the same."""
    monkeypatch.setattr("chaos.process.core_dumps._FILTER", tmp_path / "nothing" / "here")
    calls = []
    monkeypatch.setattr("resource.setrlimit", lambda *given: calls.append(given))
    forbid_core_dumps()
    assert calls == [(resource.RLIMIT_CORE, (0, 0))]
