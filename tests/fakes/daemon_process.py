"""A whole daemon in a process of its own, beside a small slow gateway; made to be killed.

    python -m tests.fakes.daemon_process FOLDER STORE_URL NAME TARGET

Its log goes to stdout, a line of JSON for each drill that is written down. Daemons of several
names think that they have one gateway.
"""

import asyncio
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from chaos.errors import WitnessError
from supervisor.daemon import worker
from supervisor.log import configure
from tests.fakes.daemons import site
from tests.fakes.gateway import FakeGateway

GATEWAY = "http://one-gateway:4000"
DRILL_S = 0.03
LEASE_S = 1.0
TRIES = 5
"""A port that was free a moment ago may be another's now."""


class Slow(FakeGateway):
    """Takes a while for each request, so that it is killed in the middle of one."""

    async def _handle(self, request):
        await asyncio.sleep(DRILL_S)
        return await super()._handle(request)


async def run(folder: Path, store: str, name: str, target: str) -> None:
    """Run until killed."""
    worker.LEASE_S = LEASE_S
    sections: dict[str, Any] = {
        "store": {"url": store},
        "daemon": {"name": name},
        "rehearse": {
            "shapes": ["chat", "tool_call"],
            "faults": ["billing", "context_window", "content_policy"],
            "target": target,
        },
    }
    for _ in range(TRIES):
        with suppress(WitnessError):
            await _beside_a_gateway(folder, sections)


async def _beside_a_gateway(folder: Path, sections: dict[str, Any]) -> None:
    async with site(folder, server=Slow({}), **sections) as here:
        here.config["gateway"]["url"] = GATEWAY
        async with here.daemon() as daemon:
            while True:
                await asyncio.sleep(DRILL_S)
                daemon.look()


def started(
    folder: Path, store: str, *, name: str = "spark-1", target: str = "1h"
) -> subprocess.Popen[str]:
    """Start one; its log is in its stdout, and what else it says in a file."""
    with (folder / "stderr").open("ab") as errors:
        return subprocess.Popen(
            [sys.executable, "-m", __name__, str(folder), store, name, target],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, "TEST_KEY": "sk-test"},
        )


if __name__ == "__main__":
    configure(sys.stdout)
    asyncio.run(run(Path(sys.argv[1]), *sys.argv[2:]))
