"""The witness beside mitmdump and raw aiohttp: the same work, in the same run, on one core."""

import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import traffic
from benchmarks.latency import Latency, measure
from benchmarks.load import CONNECTIONS, Throughput, has_wrk, keep_busy
from benchmarks.mitmproxy_environment import VERSION, mitmdump
from benchmarks.processes import ROOT, Cores, Server, cores, module, running
from chaos.process.ports import free_port

_STARTS_WITHIN_S = 30


@dataclass(frozen=True, slots=True)
class Measured:
    """One server's figures."""

    name: str
    faulted: Throughput
    passed: Throughput
    latency: Latency
    peak_mb: float


def run(*, seconds: float, requests: int, rounds: int, with_mitmproxy: bool) -> None:
    """Measure and print.

    Args:
        seconds: How long each server is kept busy, for each kind of work, in each round.
        requests: How often each one is asked for its latency.
        rounds: The servers take turns so often; the best round of each counts.
    """
    chosen = cores()
    generator = "wrk" if has_wrk() else "our own generator: wrk is not installed"
    print(
        f"Server on core {chosen.server}; load ({generator}, {CONNECTIONS} connections) "
        f"and upstream on core {chosen.load}; best of {rounds} rounds of {seconds:g} s\n"
    )
    with ExitStack() as stack:
        upstream = stack.enter_context(running(module("upstream"), core=chosen.load))
        servers = {
            "witness": stack.enter_context(
                running(module("witness_server", upstream.url), core=chosen.server)
            ),
            "raw aiohttp": stack.enter_context(
                running(module("raw_proxy", upstream.url), core=chosen.server)
            ),
        }
        if with_mitmproxy:
            servers[f"mitmdump {VERSION}"] = stack.enter_context(
                _mitmdump(upstream.url, chosen.server)
            )
        direct, latencies = _latencies(upstream, list(servers.values()), requests)
        faulted = _in_turns(servers, 0, traffic.faulted_request(), seconds, rounds, chosen)
        passed = _in_turns(servers, 1, traffic.passed_request(), seconds, rounds, chosen)
        results = [
            Measured(name, faulted[name], passed[name], latency, server.peak_mb())
            for (name, server), latency in zip(servers.items(), latencies, strict=True)
        ]
    _print(results, direct)


def _in_turns(
    servers: Mapping[str, Server],
    lane: int,
    body: bytes,
    seconds: float,
    rounds: int,
    chosen: Cores,
) -> dict[str, Throughput]:
    """Keep each server busy in turn, and take the best round of each."""
    path = traffic.PATH.format(lane=lane)
    best: dict[str, Throughput] = {}
    for _ in range(rounds):
        for name, server in servers.items():
            now = keep_busy(server, path, body, seconds=seconds, core=chosen.load)
            if name not in best or now.per_s > best[name].per_s:
                best[name] = now
    return best


def _latencies(
    upstream: Server, servers: list[Server], requests: int
) -> tuple[Latency, list[Latency]]:
    path, body = traffic.PATH.format(lane=1), traffic.passed_request()
    urls = [upstream.url, *(server.url for server in servers)]
    measure(urls, path, body, requests=min(requests, 50))  # opens pools and warms up
    direct, *through = measure(urls, path, body, requests=requests)
    return direct, through


@contextmanager
def _mitmdump(upstream: str, core: int) -> Iterator[Server]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [
        str(mitmdump(Path(os.environ.get("UNDERSTUDY_LAB_DIR", ROOT / ".lab")))),
        *("--mode", f"reverse:{upstream}", "--listen-host", "127.0.0.1"),
        *("--listen-port", str(port), "--quiet", "--set", "connection_strategy=lazy"),
        *("--scripts", str(Path(__file__).with_name("mitmproxy_addon.py"))),
    ]
    knows = {
        "BENCHMARK_NONCE": traffic.FAULTED_NONCE,
        "BENCHMARK_STATUS": str(traffic.ERROR_STATUS),
        "BENCHMARK_BODY": traffic.ERROR_BODY.decode(),
    }
    with running(command, core=core, url=url, env=knows) as server:
        _wait_for(url)
        yield server


def _wait_for(url: str) -> None:
    until_s = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < until_s:
        try:
            urllib.request.urlopen(url, timeout=1).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"nothing listens at {url}")


def _print(results: list[Measured], direct: Latency) -> None:
    print(f"{'':17}{'faults/s':>10}{'per CPU s':>11}{'passed/s':>10}{'per CPU s':>11}", end="")
    print(f"{'+p50 ms':>9}{'+p99 ms':>9}{'peak MB':>9}")
    for one in results:
        added_p50 = one.latency.p50_ms - direct.p50_ms
        added_p99 = one.latency.p99_ms - direct.p99_ms
        print(
            f"{one.name:17}{one.faulted.per_s:10.0f}{one.faulted.per_cpu_s:11.0f}"
            f"{one.passed.per_s:10.0f}{one.passed.per_cpu_s:11.0f}"
            f"{added_p50:9.2f}{added_p99:9.2f}{one.peak_mb:9.0f}"
        )
    print(f"(the upstream itself: p50 {direct.p50_ms:.2f} ms, p99 {direct.p99_ms:.2f} ms)")
    for one in results:
        _explain(one)
    ours, *_, other = results
    if other.name.startswith("mitmdump"):
        print(
            f"\nwitness : mitmdump  faults {ours.faulted.per_s / other.faulted.per_s:.1f} "
            f"(by CPU {ours.faulted.per_cpu_s / other.faulted.per_cpu_s:.1f}; to reach: 10), "
            f"pass-through {ours.passed.per_s / other.passed.per_s:.1f} "
            f"(by CPU {ours.passed.per_cpu_s / other.passed.per_cpu_s:.1f}; to reach: 4)"
        )


def _explain(one: Measured) -> None:
    if one.faulted.errors != one.faulted.replies or one.passed.errors:
        print(
            f"! {one.name} did not do the work: {one.faulted.replies - one.faulted.errors} "
            f"requests were not faulted, {one.passed.errors} were not passed through"
        )
