"""Is it me? What the daemon asks itself before it calls a part down.

A machine that cannot reach itself, cannot look up names, or runs a daemon that stood still is no
judge of others. ``explain`` is pure; ``OwnHealth`` does the looking, ``LoopLag`` keeps the time.
"""

import asyncio
import ipaddress
import socket
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from chaos.clock import Clock

LOOPBACK = "127.0.0.1"
LOOKED_UP_HERE = "localhost"

_NO_SUCH_NAME = (socket.EAI_NONAME, socket.EAI_NODATA)

Connect = Callable[[str, int], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]
Resolve = Callable[[str], Awaitable[object]]
"""Looks up a host's addresses; raises OSError or UnicodeError if it has none."""


class LoopLag:
    """How much later than asked the event loop wakes a sleeper.

    Args:
        every_s: How long each measured sleep is.
        keep_s: How long measurements are kept.
    """

    def __init__(self, clock: Clock, *, every_s: float = 0.25, keep_s: float = 300.0) -> None:
        self._clock = clock
        self._every_s = every_s
        self._keep_s = keep_s
        self._measured: deque[tuple[float, float]] = deque()
        self._due_s: float | None = None

    @property
    def last_s(self) -> float:
        """The newest measurement; 0 if there is none."""
        return self._measured[-1][1] if self._measured else 0.0

    def worst(self, within_s: float) -> float:
        """Return the worst of the last *within_s* seconds, in seconds; 0 if none was measured.

        After a standstill the asker may wake before the sleeper: what that one is late by now
        counts too.
        """
        now_s = self._clock.monotonic()
        lags = [lag_s for at_s, lag_s in self._measured if at_s >= now_s - within_s]
        if self._due_s is not None:
            lags.append(now_s - self._due_s)
        return max([0.0, *lags])

    async def run(self) -> None:
        """Measure until cancelled."""
        try:
            while True:
                self._due_s = self._clock.monotonic() + self._every_s
                await self._clock.sleep(self._every_s)
                now_s = self._clock.monotonic()
                self._measured.append((now_s, max(0.0, now_s - self._due_s)))
                while self._measured[0][0] < now_s - self._keep_s:
                    self._measured.popleft()
        finally:
            self._due_s = None


@dataclass(frozen=True, slots=True)
class OwnLook:
    """What the daemon found about itself.

    Attributes:
        lag_s: The worst lag of its event loop of late.
        loopback: Why it did not reach itself; empty if it did.
        localhost: Why ``localhost`` was not looked up; empty if it was.
        nameless: Host names of watched parts, if not one of them could be looked up; else empty.
    """

    lag_s: float = 0.0
    loopback: str = ""
    localhost: str = ""
    nameless: tuple[str, ...] = ()


def explain(look: OwnLook, most_lag_s: float) -> str:
    """Say in one line what is wrong with this machine or daemon; empty if nothing is. Pure."""
    # A standstill comes first: it explains why the others took too long.
    troubles = []
    if look.lag_s > most_lag_s:
        troubles.append(f"its own event loop stood still for {look.lag_s:.1f} s")
    if look.loopback:
        troubles.append(f"no connection to itself over {LOOPBACK}: {look.loopback}")
    if look.localhost:
        troubles.append(f"{LOOKED_UP_HERE} does not resolve here: {look.localhost}")
    if look.nameless:
        troubles.append(f"no name resolves here: {', '.join(look.nameless)}")
    return "; ".join(troubles)


def name_servers(text: str) -> tuple[str, ...]:
    """List the name servers of a ``resolv.conf``.

    Source: resolv.conf(5): a keyword at the beginning of its line, white space, the value.
    """
    lines = [line.split() for line in text.splitlines() if line.startswith("nameserver")]
    return tuple(words[1] for words in lines if words[0] == "nameserver" and len(words) > 1)


def names_to_look_up(hosts: Iterable[str]) -> tuple[str, ...]:
    """Pick those that are neither an IP address nor this machine's own name for itself."""
    names = {host.rstrip(".").lower() for host in hosts}
    return tuple(sorted(name for name in names if name and not _known_here(name)))


def _known_here(name: str) -> bool:
    if name == LOOKED_UP_HERE or name.endswith(f".{LOOKED_UP_HERE}"):
        return True
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


async def look_up(host: str) -> object:
    """Ask this machine's resolver."""
    loop = asyncio.get_running_loop()
    return await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)


class OwnHealth:
    """Asks the daemon itself; listens on a loopback port while its context is entered.

    Args:
        lag: Measured elsewhere, by its ``run``.
        hosts: Lists the hosts of the watched parts, names and addresses, as they are now.
        deadline_s: For the connection and for each name; all of them are tried at once.
        most_lag_s: More than this is trouble, if it was within the last *lag_within_s*.
    """

    def __init__(
        self,
        lag: LoopLag,
        *,
        hosts: Callable[[], Iterable[str]] = tuple,
        deadline_s: float = 2.0,
        most_lag_s: float = 2.0,
        lag_within_s: float = 30.0,
        resolv_conf: Path = Path("/etc/resolv.conf"),
        connect: Connect = asyncio.open_connection,
        resolve: Resolve = look_up,
    ) -> None:
        self._lag = lag
        self._hosts = hosts
        self._deadline_s = deadline_s
        self._most_lag_s = most_lag_s
        self._lag_within_s = lag_within_s
        self._resolv_conf = resolv_conf
        self._connect = connect
        self._resolve = resolve
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        listening = socket.create_server((LOOPBACK, 0))
        try:
            self._server = await asyncio.start_server(_hang_up, sock=listening)
        except BaseException:
            # A daemon that ends while it starts leaves no port behind.
            listening.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
            await server.wait_closed()

    async def trouble(self) -> str:
        """Say in one line why this machine is no judge just now; empty if it is."""
        if self._server is None:
            raise RuntimeError("OwnHealth asks itself only while its context is entered")
        port = self._server.sockets[0].getsockname()[1]
        names = names_to_look_up(self._hosts()) if self._has_name_servers() else ()
        async with asyncio.TaskGroup() as tasks:
            loopback = tasks.create_task(self._within(partial(self._reach_itself, port)))
            localhost = tasks.create_task(self._within(partial(self._resolve, LOOKED_UP_HERE)))
            problems = [
                tasks.create_task(self._within(partial(self._ask_for, name))) for name in names
            ]
        resolved = any(not problem.result() for problem in problems)
        look = OwnLook(
            lag_s=self._lag.worst(self._lag_within_s),
            loopback=loopback.result(),
            localhost=localhost.result(),
            nameless=() if resolved else names,
        )
        return explain(look, self._most_lag_s)

    def _has_name_servers(self) -> bool:
        try:
            text = self._resolv_conf.read_text("utf-8", "replace")
        except OSError:
            return False
        return bool(name_servers(text))

    async def _within(self, attempt: Callable[[], Awaitable[object]]) -> str:
        """Return why *attempt* failed; empty if it did not."""
        try:
            async with asyncio.timeout(self._deadline_s):
                await attempt()
        except TimeoutError:
            return f"not within {self._deadline_s:g} s"
        except (OSError, UnicodeError, RuntimeError) as error:  # the last: no thread to ask in
            why = error.strerror if isinstance(error, OSError) else None
            return why or str(error) or type(error).__name__
        return ""

    async def _ask_for(self, name: str) -> None:
        try:
            await self._resolve(name)
        except socket.gaierror as error:
            # A name server has answered: that name's record is gone, and the service is there.
            if error.errno not in _NO_SUCH_NAME:
                raise

    async def _reach_itself(self, port: int) -> None:
        reader, writer = await self._connect(LOOPBACK, port)
        try:
            # Its end proves that this process accepted it: the kernel alone only queues it.
            await reader.read()
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


def _hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()
