"""Keep a server busy over a few connections, where ``wrk`` is not installed.

python -m benchmarks.load_generator URL PATH SECONDS CONNECTIONS < BODY
"""

import asyncio
import json
import sys
import time
from typing import cast

import uvloop

from benchmarks.http_reply import is_whole, post, status_of


class _Client(asyncio.Protocol):
    """Asks again as soon as the reply is whole."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._reply = bytearray()
        self._transport: asyncio.Transport | None = None
        self.replies = 0
        self.errors = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are asyncio's by behaviour, not by class.
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._reply += data
        if not is_whole(self._reply):
            return
        self.replies += 1
        self.errors += status_of(self._reply) >= 400
        self._reply.clear()
        if self._transport is not None:
            self._transport.write(self._request)


async def _generate(url: str, path: str, seconds: float, connections: int, body: bytes) -> None:
    loop = asyncio.get_running_loop()
    host, _, port = url.removeprefix("http://").partition(":")
    request = post(url, path, body)
    began_s = time.monotonic()
    clients = [
        (await loop.create_connection(lambda: _Client(request), host, int(port)))[1]
        for _ in range(connections)
    ]
    await asyncio.sleep(seconds)
    counts = {
        "replies": sum(client.replies for client in clients),
        "errors": sum(client.errors for client in clients),
        "seconds": time.monotonic() - began_s,
    }
    sys.stdout.write(json.dumps(counts))


if __name__ == "__main__":
    _url, _path, _seconds, _connections = sys.argv[1:]
    uvloop.run(_generate(_url, _path, float(_seconds), int(_connections), sys.stdin.buffer.read()))
