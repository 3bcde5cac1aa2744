"""The daemon: how soon it drills, how it answers meanwhile, and what it needs when it idles."""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.gateways import KEY_VARIABLE, Target, target
from benchmarks.processes import Server
from chaos.process.ports import free_port


def run(*, idle_s: float, lab: bool) -> None:
    """Measure and print."""
    with target(lab=lab) as gateway, tempfile.TemporaryDirectory() as folder:
        _busy(gateway, Path(folder))
        _idle(gateway, Path(folder), idle_s)


def _busy(gateway: Target, folder: Path) -> None:
    with _daemon(gateway, folder) as (process, url, began):
        waits_ms: list[float] = []
        ended = threading.Event()
        asking = threading.Thread(target=_ask, args=(url, ended, waits_ms))
        asking.start()
        first, drills, last = None, 0, began
        assert process.stderr is not None
        for line in process.stderr:
            event = json.loads(line)
            if event["event"] == "drill.ended":
                drills += 1
                last = datetime.fromisoformat(event["timestamp"])
                first = first or last
                if _idle_now(url):
                    break
        ended.set()
        asking.join()
    assert first is not None
    waits_ms.sort()
    print(f"first drill written {(first - began).total_seconds():.2f} s after the start")
    print(f"{drills} drills, one at a time: {drills / (last - began).total_seconds():.1f} a second")
    print(
        f"meanwhile GET /healthz took {statistics.median(waits_ms):.1f} ms (median), "
        f"{waits_ms[int(len(waits_ms) * 0.99)]:.1f} ms (p99)"
    )


def _idle(gateway: Target, folder: Path, idle_s: float) -> None:
    """Start it again, on a store where nothing is due, and leave it alone."""
    with _daemon(gateway, folder) as (process, url, _):
        while not _get(f"{url}/api/v1/status")["gateway_read_at"]:
            time.sleep(0.1)
        paths = sum(_get(f"{url}/api/v1/status")["states"].values())
        server = Server(url, process.pid)
        time.sleep(5.0)
        before_s = server.cpu_s()
        time.sleep(idle_s)
        cpu_s = server.cpu_s() - before_s
        rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
        sizes = {
            name: int(re.search(rf"^{name}:\s+(\d+)", rollup, re.MULTILINE)[1]) / 1024  # type: ignore[index] -- the kernel writes both
            for name in ("Rss", "Pss")
        }
        print(
            f"idle with {paths} paths: RSS {sizes['Rss']:.0f} MB, PSS {sizes['Pss']:.0f} MB, "
            f"{cpu_s / idle_s:.2%} of a core over {idle_s:.0f} s"
        )


@contextmanager
def _daemon(gateway: Target, folder: Path) -> Iterator[tuple[subprocess.Popen[str], str, datetime]]:
    api = f"127.0.0.1:{free_port()}"
    witness = f"127.0.0.1:{gateway.witness_port}"
    config = folder / "understudy.yaml"
    config.write_text(
        json.dumps(
            {
                "gateway": {"url": gateway.url, "key": {"env": KEY_VARIABLE}},
                "witness": {"listen": [witness], "url": f"http://{witness}"},
                "web": {"listen": [api]},
                "store": {"url": f"sqlite:///{folder / 'understudy.db'}"},
            }
        )
    )
    began = datetime.now().astimezone()
    process = subprocess.Popen(
        [str(Path(sys.executable).parent / "understudy"), "run", "--config", str(config)],
        env={**os.environ, KEY_VARIABLE: gateway.key},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        while "daemon.started" not in process.stderr.readline():
            if process.poll() is not None:
                raise RuntimeError("the daemon does not start")
        yield process, f"http://{api}", began
    finally:
        process.terminate()
        process.communicate()


def _ask(url: str, ended: threading.Event, waits_ms: list[float]) -> None:
    while not ended.wait(0.01):
        began_s = time.perf_counter()
        with urllib.request.urlopen(f"{url}/healthz") as reply:
            reply.read()
        waits_ms.append((time.perf_counter() - began_s) * 1000)


def _idle_now(url: str) -> bool:
    states = _get(f"{url}/api/v1/status")["states"]
    return bool(states) and not states.get("never_proven")


def _get(url: str) -> Any:
    with urllib.request.urlopen(url) as reply:
        return json.load(reply)
