"""Run ``understudy`` as people do: the installed script, in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

from tests.patience import PATIENCE_S

SCRIPT = Path(sys.executable).parent / "understudy"


def environment(**changes: str) -> dict[str, str]:
    """Make an environment without settings of ours, with a terminal of a hundred columns."""
    kept = {k: v for k, v in os.environ.items() if k != "UNDERSTUDY_CONFIG"}
    return {**kept, "COLUMNS": "100", **changes}


def understudy(*arguments: object, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the script to its end."""
    return subprocess.run(
        [str(SCRIPT), *map(str, arguments)],
        env=environment(**env),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def succeeds(*command: object, cwd: Path = Path("/"), **env: str) -> str:
    """Run any command that must succeed, away from the repository; gives what it printed."""
    done = subprocess.run(
        [*map(str, command)],
        env=environment(PYTHONPATH="", **env),
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    told = f"{done.stdout[-3000:]}{done.stderr[-3000:]}"
    assert done.returncode == 0, f"{command}\nexit {done.returncode}\n{told}"
    return done.stdout


def starting(*arguments: object, **env: str) -> subprocess.Popen[str]:
    """Start the script, with its output in pipes."""
    return subprocess.Popen(
        [str(SCRIPT), *map(str, arguments)],
        env=environment(**env),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
