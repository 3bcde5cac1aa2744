"""An engine that costs next to nothing: it streams one prepared answer to every request.

python -m benchmarks.upstream
"""

import asyncio
import sys
from collections.abc import Iterator
from typing import cast

import uvloop

from benchmarks.traffic import stream_events

_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)
_EVENTS = [b"%x\r\n%s\r\n" % (len(event), event) for event in stream_events()]
_REPLY = [_HEAD + _EVENTS[0], *_EVENTS[1:-1], _EVENTS[-1] + b"0\r\n\r\n"]


class _Streamer(asyncio.Protocol):
    """Reads requests by their length, and writes each event on its own."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._read = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are asyncio's by behaviour, not by class.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._read += data
        end = self._read.find(b"\r\n\r\n")
        if end < 0 or len(self._read) < end + 4 + _length(self._read[:end]):
            return
        self._read.clear()
        self._write(iter(_REPLY))

    def _write(self, parts: Iterator[bytes]) -> None:
        part = next(parts, None)
        if part is None or self._transport is None or self._transport.is_closing():
            return
        self._transport.write(part)
        asyncio.get_running_loop().call_soon(self._write, parts)


def _length(head: bytearray) -> int:
    for line in bytes(head).lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    return 0


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Streamer, "127.0.0.1", 0)
    sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve())
