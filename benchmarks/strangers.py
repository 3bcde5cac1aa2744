"""What a flood of strangers at the witness costs a campaign: its verdicts, its time, its memory.

The same drills twice in one run, once in peace and once while a process of its own opens hostile
connections: silent ones, long bodies that never come, bodies of packed nothing.
"""

import contextlib
import socket
import subprocess
import sys
import time

import uvloop

from benchmarks.drills import Stopwatch, campaign
from benchmarks.gateways import target
from benchmarks.latency import percentile
from benchmarks.processes import ROOT, cores, module, peak_mb, staying_on

KINDS = (
    b"",
    b"POST /lane/0/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 62914560\r\n\r\n",
    b"POST /lane/1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-encoding: gzip\r\n"
    b"content-length: 642048\r\n\r\n" + bytes(65536),
    b"GET /" + b"a" * 8000,
)
"""What a stranger sends, in turn; it never ends by itself."""

HELD = 200
"""Connections that the flood keeps open at once."""


def run(*, connections: int, drills: int) -> None:
    """Measure and print."""
    with target(lab=False) as gateway, staying_on(cores().server):
        for hostile in (0, connections):
            before_mb, watch = peak_mb("self"), Stopwatch()
            port = str(gateway.witness_port)
            flood = (
                subprocess.Popen(module("strangers", port, str(hostile)), cwd=ROOT)
                if hostile
                else None
            )
            try:
                report = uvloop.run(campaign(gateway, watch, drills, 4))
            finally:
                if flood is not None:
                    flood.kill()
                    flood.wait()
            counts = report.summary
            milliseconds = [1000 * seconds for seconds in watch.drill_s]
            print(
                f"{len(report.drills)} drills beside {hostile} hostile connections: "
                f"{counts.passed} passed, {counts.failed} failed, {counts.inconclusive} "
                f"inconclusive; p50 {percentile(milliseconds, 50):.1f} ms, p99 "
                f"{percentile(milliseconds, 99):.1f} ms; memory "
                f"+{peak_mb('self') - before_mb:.1f} MB (to reach: the same verdicts, +100 ms, "
                "+20 MB)"
            )


def flood(port: int, connections: int) -> None:
    """Open hostile connections, over and over, keeping the last few open; ends when killed."""
    held: list[socket.socket] = []
    for number in range(connections * 1000):
        with contextlib.suppress(OSError):
            made = socket.create_connection(("127.0.0.1", port), timeout=1)
            made.setblocking(False)
            held.append(made)
            made.send(KINDS[number % len(KINDS)])
        if not held:
            time.sleep(0.01)
        if len(held) > min(HELD, connections):
            held.pop(0).close()


if __name__ == "__main__":
    flood(int(sys.argv[1]), int(sys.argv[2]))
