"""One daemon for thousands of drills: what it holds at the end is what it held at the start."""

import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from benchmarks.gateways import KEY_VARIABLE, Target, target
from tests.fakes.commandline import SCRIPT
from tests.fakes.faulted_site import Held
from tests.faults.counts import FULL, times

WARM_UP = times(150, 2_000)
"""Drills until everything is loaded and every cache is full, but that of the nonces of ended
drills: it holds 20,000, of 0.15 MB for each thousand.
"""

DRILLS = times(300, 10_000)
MOST_GROWN_MB = 5
SAMPLES = 40
MOST_SAMPLES = 200

GATEWAYS = [pytest.param("a fast gateway", marks=[])]
if FULL:
    GATEWAYS.append(pytest.param("the lab's LiteLLM", marks=[pytest.mark.litellm]))


@dataclass
class Daemon:
    """``understudy run``, as people start it."""

    process: subprocess.Popen[str]
    outcomes: Counter[str] = field(default_factory=Counter)

    def drills(self, count: int) -> None:
        """Wait for so many more drills."""
        assert self.process.stderr is not None
        while count:
            line = self.process.stderr.readline()
            assert line, f"the daemon has died: {self.process.wait()}"
            event = json.loads(line)
            if event["event"] == "drill.ended":
                self.outcomes[event["outcome"]] += 1
                count -= 1

    def held(self, before: Held | None = None) -> Held:
        """Look at what it holds after each of some drills, and take the least of each.

        A connection more at one moment is no leak; what has leaked is always there. A loaded
        machine has more such moments: with what it held *before* it is given more of them.
        """
        seen = []
        while True:
            self.drills(1)
            seen.append(Held.by(self.process.pid))
            least = Held(
                min(one.memory_mb for one in seen),
                min(one.files for one in seen),
                min(one.sockets for one in seen),
            )
            more = before is not None and (
                least.files > before.files or least.sockets > before.sockets
            )
            if len(seen) >= (MOST_SAMPLES if more else SAMPLES):
                return least


@contextmanager
def daemon(gateway: Target, folder: Path) -> Iterator[Daemon]:
    """Run one that always has something to drill."""
    witness = f"127.0.0.1:{gateway.witness_port}"
    config = folder / "understudy.yaml"
    settings = {
        "gateway": {"url": gateway.url, "key": {"env": KEY_VARIABLE}},
        "witness": {"listen": [witness], "url": f"http://{witness}"},
        "web": {"listen": ["127.0.0.1:0"]},
        "store": {"url": f"sqlite:///{folder / 'understudy.db'}"},
        "rehearse": {"faults": ["billing", "rate_limit", "server_error"], "target": "1s"},
        # The lab's engine is its only user's.
        "schedule": {"engine_share": 1.0},
    }
    config.write_text(yaml.safe_dump(settings))
    process = subprocess.Popen(
        [str(SCRIPT), "run", "--config", str(config)],
        env={**os.environ, KEY_VARIABLE: gateway.key},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Daemon(process)
    finally:
        process.terminate()
        process.communicate()


@pytest.mark.timeout(4 * 3600)
@pytest.mark.parametrize("which", GATEWAYS)
def test_thousands_of_drills_leave_nothing_behind(tmp_path: Path, which: str, figures):
    """After the warm-up memory grows by 5 MB at most, and files and sockets not at all."""
    with target(lab=which != "a fast gateway") as gateway, daemon(gateway, tmp_path) as running:
        running.drills(WARM_UP)
        before = running.held()
        running.drills(DRILLS)
        after = running.held(before)
    figures(
        f"{DRILLS} drills of {gateway.name} after {WARM_UP}: {dict(running.outcomes)}; memory "
        f"{before.memory_mb:.1f} -> {after.memory_mb:.1f} MB, files {before.files} -> "
        f"{after.files}, sockets {before.sockets} -> {after.sockets}"
    )
    assert after.memory_mb - before.memory_mb <= MOST_GROWN_MB
    assert after.files <= before.files
    assert after.sockets <= before.sockets
