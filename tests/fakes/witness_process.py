"""A witness in a process of its own, so that what strangers cost it can be measured.

    python -m tests.fakes.witness_process

Lane 0 is leased to a drill with a canary, lane 1 to one with real keys: there nothing in a
request's headers shows that it is the drill's.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from chaos.witness.lease import Action
from chaos.witness.server import Witness
from tests.fakes.upstreams import CANARY, NONCE, hop

KEYED, UNKEYED = 0, 1
SECOND_NONCE = "b07dc9e4"
FOR_S = 3600.0


@dataclass(frozen=True)
class Process:
    """A process that listens.

    Attributes:
        port: Of 127.0.0.1.
    """

    pid: int
    port: int

    def peak_mb(self) -> float:
        """Tell the most memory that it held since the peak was forgotten, in MB (2^20)."""
        return self._status("VmHWM")

    def forget_peak_mb(self) -> float:
        """Measure anew from here; gives what it holds."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")
        return self._status("VmRSS")

    def _status(self, name: str) -> float:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))

    def open_files(self) -> int:
        """Count its open files, connections among them."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))


@contextmanager
def listening_process(*command: str) -> Iterator[Process]:
    """Run a module of ours that prints its port first; it is killed at exit."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command], stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert process.stdout is not None
    with process:
        try:
            yield Process(process.pid, int(process.stdout.readline()))
        finally:
            process.kill()


async def _serve() -> None:
    async with Witness().serving([("127.0.0.1", 0)]) as witness:
        hops = [hop("a", Action.FAULT, fault="rate_limit", dialect="openai")]
        await witness.lease(
            nonce=NONCE, hops=hops, ttl_s=FOR_S, lane=KEYED, canary=CANARY, wants_canary=True
        )
        await witness.lease(nonce=SECOND_NONCE, hops=hops, ttl_s=FOR_S, lane=UNKEYED)
        sys.stdout.write(f"{witness.url.rpartition(':')[2]}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve())
