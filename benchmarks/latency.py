"""Measure how long one reply takes when there is nothing else to do."""

import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.http_reply import is_whole, post

PAUSE_S = 0.005


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from the request to the end of its reply."""

    p50_ms: float
    p99_ms: float


def measure(urls: Sequence[str], path: str, body: bytes, *, requests: int) -> list[Latency]:
    """Ask each of *urls* in turn, so that a noisy moment meets them all."""
    times_ms: list[list[float]] = [[] for _ in urls]
    connections = [_connect(url) for url in urls]
    try:
        for _ in range(requests):
            for place, (url, connection) in enumerate(zip(urls, connections, strict=True)):
                time.sleep(PAUSE_S)
                times_ms[place].append(_ask(connection, post(url, path, body)))
    finally:
        for connection in connections:
            connection.close()
    return [Latency(percentile(one, 50), percentile(one, 99)) for one in times_ms]


def percentile(values: Sequence[float], percent: int) -> float:
    """Tell the value below which *percent* of *values* lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def _connect(url: str) -> socket.socket:
    host, _, port = url.removeprefix("http://").partition(":")
    connection = socket.create_connection((host, int(port)), timeout=10)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _ask(connection: socket.socket, request: bytes) -> float:
    began_s = time.perf_counter()
    connection.sendall(request)
    reply = b""
    while not is_whole(reply):
        data = connection.recv(1 << 16)
        if not data:
            raise RuntimeError("the connection was closed before the reply was whole")
        reply += data
    return (time.perf_counter() - began_s) * 1000
