"""A service manager that listens for notifications, as systemd does."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.patience import PATIENCE_S


@dataclass
class ServiceManager:
    """What a service has reported.

    Attributes:
        address: As ``$NOTIFY_SOCKET`` names it.
    """

    address: str
    listener: socket.socket

    async def next(self) -> dict[str, str]:
        """Wait for the next datagram."""
        loop = asyncio.get_running_loop()
        data = await asyncio.wait_for(loop.sock_recv(self.listener, 65536), PATIENCE_S)
        return dict(line.split("=", 1) for line in data.decode().split("\n"))

    async def until(self, name: str, value: str | None = None) -> dict[str, str]:
        """Wait for a datagram that sets *name*, to *value* if given."""
        while True:
            message = await self.next()
            if name in message and value in {None, message[name]}:
                return message

    def waiting(self) -> list[dict[str, str]]:
        """Take what has come already."""
        found: list[dict[str, str]] = []
        while True:
            try:
                data = self.listener.recv(65536)
            except BlockingIOError:
                return found
            found.append(dict(line.split("=", 1) for line in data.decode().split("\n")))


@asynccontextmanager
async def service_manager(folder: Path) -> AsyncIterator[ServiceManager]:
    """Listen in *folder* until exit."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(folder / "notify"))
        listener.setblocking(False)
        yield ServiceManager(str(folder / "notify"), listener)
