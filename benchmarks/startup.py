"""How long the command line takes to say something, beside Python with typer alone."""

import os
import subprocess
import sys
import time
from pathlib import Path

PEER = "import typer"
ASKED = {
    "--version": ["--version"],
    "--help": ["--help"],
    "drill --help": ["drill", "--help"],
    "completion": [],
}


def run(*, rounds: int) -> None:
    """Measure and print; all are asked in turns, so that neighbours disturb all alike."""
    best: dict[str, float] = {}
    for _ in range(max(rounds, 1) * 3):
        for name, took_s in [("typer", _took([sys.executable, "-c", PEER]))] + [
            (name, _took(_command(arguments), **_environment(name)))
            for name, arguments in ASKED.items()
        ]:
            best[name] = min(took_s, best.get(name, took_s))
    print(f"python -c '{PEER}': {best['typer'] * 1000:.0f} ms")
    for name in ASKED:
        ratio = best[name] / best["typer"]
        print(f"understudy {name}: {best[name] * 1000:.0f} ms, {ratio:.2f} times that")
    print("  (to reach: 1.5 times)")


def _command(arguments: list[str]) -> list[str]:
    return [str(Path(sys.executable).parent / "understudy"), *arguments]


def _environment(name: str) -> dict[str, str]:
    if name != "completion":
        return {}
    return {
        "_UNDERSTUDY_COMPLETE": "complete_bash",
        "COMP_WORDS": "understudy dr",
        "COMP_CWORD": "1",
    }


def _took(command: list[str], **environment: str) -> float:
    began_s = time.perf_counter()
    subprocess.run(
        command,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,  # what a shell's completion exits with is its own affair
    )
    return time.perf_counter() - began_s
