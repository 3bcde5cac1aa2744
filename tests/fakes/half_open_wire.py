"""A wire between a client and a server that a test cuts so that neither side is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Wire:
    """Passes connections on to a server, until it is cut.

    What was open stays open then, as after a firewall has forgotten it: nothing is read, answered
    or closed. What is opened later is passed on.
    """

    port: int
    url: str = ""
    pumps: set["asyncio.Task[None]"] = field(default_factory=set)
    dead: list[asyncio.StreamWriter] = field(default_factory=list)
    live: list[asyncio.StreamWriter] = field(default_factory=list)

    @asynccontextmanager
    async def laid(self) -> AsyncIterator["Wire"]:
        """Listen until exit."""
        server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            for pump in self.pumps:
                pump.cancel()
            for writer in (*self.live, *self.dead):
                writer.transport.abort()

    def cut(self) -> int:
        """Leave every connection half open; returns how many."""
        for pump in self.pumps:
            pump.cancel()
        half = [writer for writer in self.live if not writer.is_closing()]
        self.dead += half
        self.live.clear()
        return len(half) // 2

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self.port)
        self.live += [writer, back]
        for source, sink in ((reader, back), (there, writer)):
            pump = asyncio.create_task(self._pump(source, sink))
            self.pumps.add(pump)
            pump.add_done_callback(self.pumps.discard)

    @staticmethod
    async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await source.read(1 << 16):
                sink.write(data)
                await sink.drain()
        sink.close()
