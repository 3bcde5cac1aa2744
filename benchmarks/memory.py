"""The most memory that ``understudy drill`` holds on many scenarios."""

import os
import re
import subprocess
import sys

from benchmarks.gateways import KEY_VARIABLE, Target, target
from benchmarks.processes import ROOT, cores, module, staying_on

_IMPORTS = (
    "import supervisor.cli.commands.drill, supervisor.campaign.run, "
    "supervisor.reporting.drill_table"
)


def run(*, scenarios: int, lab: bool) -> None:
    """Measure and print."""
    print(f"imports of understudy drill alone: {_imports_mb():.0f} MB")
    with target(lab=lab) as gateway, staying_on(cores().server):
        said, peak_mb = _drill(gateway, scenarios)
    print(f"understudy drill on {scenarios} scenarios of {gateway.name}: peak {peak_mb:.0f} MB")
    print(f"  (to reach: 120 MB; its report ends with: {said})")


def _imports_mb() -> float:
    code = f"{_IMPORTS}; from benchmarks.processes import peak_mb; print(peak_mb('self'))"
    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return float(printed.stdout)


def _drill(gateway: Target, scenarios: int) -> tuple[str, float]:
    surfaces = [option for surface in gateway.surfaces for option in ("--surface", surface)]
    ended = subprocess.run(
        [
            *module("watched_command", "drill", "--gateway", gateway.url),
            *("--key-env", KEY_VARIABLE, "--injector", "redirect", *surfaces),
            *("--witness-listen", f"127.0.0.1:{gateway.witness_port}"),
            *("--profile", "full", "--concurrency", "4", "--deadline", "2"),
            *("--max-drills", str(scenarios)),
        ],
        cwd=ROOT,
        env={**os.environ, KEY_VARIABLE: gateway.key, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,  # drills that fail are a result
    )
    peak = re.search(r"^peak_mb=(\S+)$", ended.stderr, re.MULTILINE)
    if peak is None or not ended.stdout.strip():
        raise RuntimeError(
            f"understudy drill ended with {ended.returncode}:\n{ended.stderr[-2000:]}"
        )
    # Notes on single rows may follow the line that counts.
    lines = ended.stdout.strip().splitlines()
    said = next((line for line in lines if " requests, " in line), lines[-1])
    return said, float(peak[1])
