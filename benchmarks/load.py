"""Measure how much a server does when it is kept busy."""

import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import ROOT, Server, module, staying_on

CONNECTIONS = 16

_WRK_SCRIPT = """
local file = io.open("{body}", "rb")
wrk.method = "POST"
wrk.body = file:read("*a")
wrk.headers["content-type"] = "application/json"
wrk.headers["authorization"] = "Bearer understudy-canary"
file:close()
done = function(summary)
  local broken = summary.errors.connect + summary.errors.read + summary.errors.timeout
  io.write(string.format('\\n{{"replies": %d, "errors": %d, "seconds": %f, "broken": %d}}',
    summary.requests, summary.errors.status, summary.duration / 1e6, broken))
end
"""


@dataclass(frozen=True, slots=True)
class Throughput:
    """What a server did while it was kept busy.

    Attributes:
        per_cpu_s: Replies for each second of its own processor time; neighbours on the machine
            disturb it less than ``per_s``.
    """

    replies: int
    errors: int
    per_s: float
    per_cpu_s: float


def keep_busy(server: Server, path: str, body: bytes, *, seconds: float, core: int) -> Throughput:
    """Send *body* to *server* over ``CONNECTIONS`` connections for *seconds*.

    Raises:
        RuntimeError: It did not answer.
    """
    before_s = server.cpu_s()
    generate = _with_wrk if has_wrk() else _with_our_own
    with staying_on(core):
        counts = generate(server.url, path, body, seconds)
    used_s = server.cpu_s() - before_s
    if not counts["replies"] or counts.get("broken"):
        raise RuntimeError(f"{server.url}{path} broke off or did not answer: {counts}")
    return Throughput(
        replies=int(counts["replies"]),
        errors=int(counts["errors"]),
        per_s=counts["replies"] / counts["seconds"],
        per_cpu_s=counts["replies"] / max(used_s, 0.01),
    )


def has_wrk() -> bool:
    """Tell whether ``wrk`` can generate the load; it leaves more of its core to the upstream."""
    return shutil.which("wrk") is not None


def _with_wrk(url: str, path: str, body: bytes, seconds: float) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "body").write_bytes(body)
        script = Path(folder) / "script.lua"
        script.write_text(_WRK_SCRIPT.format(body=Path(folder) / "body"))
        duration = f"{max(1, round(seconds))}s"
        printed = subprocess.run(
            ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{duration}", "-s", str(script), url + path],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    counts: dict[str, float] = json.loads(printed.splitlines()[-1])
    return counts


def _with_our_own(url: str, path: str, body: bytes, seconds: float) -> dict[str, float]:
    ended = subprocess.run(
        module("load_generator", url, path, str(seconds), str(CONNECTIONS)),
        cwd=ROOT,
        input=body,
        capture_output=True,
        check=True,
    )
    counts: dict[str, float] = json.loads(ended.stdout)
    return counts
