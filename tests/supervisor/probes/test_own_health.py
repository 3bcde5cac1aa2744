"""Before a part is called down, the daemon's own machine is asked whether it is the one."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Never, cast

import pytest

from supervisor.probes.own_health import (
    LoopLag,
    OwnHealth,
    OwnLook,
    explain,
    look_up,
    name_servers,
    names_to_look_up,
)
from tests.fakes.manual_clock import ManualClock

EVERY_S = 0.25
AMPLE_S = 60.0
"""A deadline that nothing here reaches."""

NO_ADDRESS = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")


@pytest.fixture
def clock() -> ManualClock:
    """Time that a test turns."""
    return ManualClock()


@pytest.fixture
def lag(clock: ManualClock) -> LoopLag:
    """Measure by that time, once somebody runs it."""
    return LoopLag(clock)


@asynccontextmanager
async def measuring(lag: LoopLag, clock: ManualClock) -> AsyncIterator[None]:
    """Keep *lag* measuring; its sleeper sleeps when this is entered."""
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(lag.run())
        await clock.until_asleep()
        yield
        task.cancel()


async def wake_late(clock: ManualClock, late_s: float) -> None:
    """Let the sleeper wake *late_s* later than it asked, and sleep again."""
    clock.advance(EVERY_S + late_s)
    await clock.until_asleep()


async def test_a_sleeper_that_wakes_in_time_shows_no_lag(lag: LoopLag, clock: ManualClock):
    """A loop that wakes its sleepers when they asked has no lag, nor has one not measured yet."""
    assert (lag.last_s, lag.worst(30)) == (0.0, 0.0)
    async with measuring(lag, clock):
        await wake_late(clock, 0)
        assert (lag.last_s, lag.worst(30)) == (0.0, 0.0)


async def test_lag_is_how_late_the_sleeper_wakes(lag: LoopLag, clock: ManualClock):
    """What counts is how much later than asked the sleep returned, not how long it was."""
    async with measuring(lag, clock):
        await wake_late(clock, 3)
        assert (lag.last_s, lag.worst(30)) == (3.0, 3.0)


async def test_the_worst_outlives_the_last(lag: LoopLag, clock: ManualClock):
    """The worst lag of a span is kept while later ones are smaller."""
    async with measuring(lag, clock):
        await wake_late(clock, 3)
        await wake_late(clock, 0.5)
        assert (lag.last_s, lag.worst(30)) == (0.5, 3.0)


async def test_the_worst_is_that_of_the_span_asked_for(lag: LoopLag, clock: ManualClock):
    """A lag of exactly 30 s ago is within 30 s, one measurement later it no longer is."""
    async with measuring(lag, clock):
        await wake_late(clock, 3)
        for _ in range(int(30 / EVERY_S)):
            await wake_late(clock, 0)
        assert lag.worst(30) == 3.0
        await wake_late(clock, 0)
        assert lag.worst(30) == 0.0
        assert lag.worst(31) == 3.0


async def test_a_sleeper_that_is_still_late_counts(lag: LoopLag, clock: ManualClock):
    """Who asks right after a standstill hears of it, although the sleeper has not woken yet."""
    async with measuring(lag, clock):
        clock.advance(EVERY_S + 5)
        assert (lag.last_s, lag.worst(30)) == (0.0, 5.0)
        await clock.until_asleep()


async def test_nobody_is_late_once_measuring_has_ended(lag: LoopLag, clock: ManualClock):
    """Time that passes after the measuring has ended is no lag."""
    async with measuring(lag, clock):
        await wake_late(clock, 0)
    clock.advance(100)
    assert lag.worst(1000) == 0.0


async def test_old_measurements_are_forgotten(clock: ManualClock):
    """A daemon that runs for months keeps no more measurements than a span holds."""
    lag = LoopLag(clock, every_s=EVERY_S, keep_s=1.0)
    async with measuring(lag, clock):
        await wake_late(clock, 3)
        for _ in range(4):
            await wake_late(clock, 0)
        assert lag.worst(1000) == 3.0
        await wake_late(clock, 0)
        assert lag.worst(1000) == 0.0
        assert len(lag._measured) == 5


@pytest.mark.parametrize(
    ("look", "words"),
    [
        (OwnLook(), ""),
        (OwnLook(lag_s=2.0), ""),
        (OwnLook(lag_s=3.1), "its own event loop stood still for 3.1 s"),
        (OwnLook(loopback="refused"), "no connection to itself over 127.0.0.1: refused"),
        (OwnLook(localhost="no answer"), "localhost does not resolve here: no answer"),
        (OwnLook(nameless=("a.example", "b.lan")), "no name resolves here: a.example, b.lan"),
        (
            OwnLook(lag_s=2.1, loopback="late", localhost="late", nameless=("a.example",)),
            (
                "its own event loop stood still for 2.1 s; "
                "no connection to itself over 127.0.0.1: late; "
                "localhost does not resolve here: late; no name resolves here: a.example"
            ),
        ),
    ],
)
def test_each_trouble_has_its_own_words(look: OwnLook, words: str):
    """Each trouble is named, all of them in one line, and a lag of exactly 2 s is none."""
    assert explain(look, most_lag_s=2.0) == words


@pytest.mark.parametrize(
    ("text", "servers"),
    [
        ("", ()),
        ("# nameserver 10.0.0.1\n;nameserver 10.0.0.2\nsearch lan\n", ()),
        ("nameserver\nnameservers 10.0.0.1\n nameserver 10.0.0.2\n", ()),
        ("search lan\nnameserver 10.0.0.1\nnameserver\tfd00::1 # home\n", ("10.0.0.1", "fd00::1")),
    ],
)
def test_name_servers_are_read_as_the_resolver_reads_them(text: str, servers: tuple[str, ...]):
    """Only a line that begins with the keyword and holds a value names a server."""
    assert name_servers(text) == servers


@pytest.mark.parametrize(
    ("hosts", "names"),
    [
        (["127.0.0.1", "10.1.2.3", "::1", "[fd00::1]", "fe80::1%eth0"], ()),
        (["localhost", "LOCALHOST", "localhost.", "engine.localhost", ""], ()),
        (
            ["spark-2.lan", "gateway.example", "Gateway.Example."],
            ("gateway.example", "spark-2.lan"),
        ),
        (["notlocalhost"], ("notlocalhost",)),
    ],
)
def test_only_names_that_need_a_name_server_are_looked_up(hosts: list[str], names: tuple[str, ...]):
    """Addresses and this machine's name for itself prove nothing about name servers."""
    assert names_to_look_up(hosts) == names


async def never(*_: object) -> Never:
    """Wait for something that does not come."""
    await asyncio.Event().wait()
    raise AssertionError


class Resolver:
    """Knows the names it was given; for any other it raises *error*."""

    def __init__(self, *known: str, error: Exception = NO_ADDRESS) -> None:
        self._known = known
        self._error = error
        self.asked: list[str] = []

    async def __call__(self, host: str) -> object:
        self.asked.append(host)
        if host not in self._known:
            raise self._error
        return host


@pytest.fixture
def resolv_conf(tmp_path: Path) -> Path:
    """A resolver's configuration with one name server."""
    file = tmp_path / "resolv.conf"
    file.write_text("nameserver 10.0.0.1\n")
    return file


async def test_a_machine_that_works_has_no_trouble(lag: LoopLag, resolv_conf: Path):
    """A daemon that reaches itself, resolves names and runs in time has nothing to say."""
    resolver = Resolver("localhost", "gateway.example")
    async with OwnHealth(
        lag,
        hosts=lambda: ["gateway.example"],
        deadline_s=AMPLE_S,
        resolv_conf=resolv_conf,
        resolve=resolver,
    ) as own:
        assert await own.trouble() == ""
        assert await own.trouble() == ""
    assert sorted(resolver.asked) == ["gateway.example", "gateway.example"] + ["localhost"] * 2


async def test_the_connection_is_a_real_one_to_a_port_of_its_own(lag: LoopLag):
    """Each question opens one connection to 127.0.0.1, and nobody listens there afterwards."""
    asked = []

    async def connect(host, port):
        asked.append((host, port))
        return await asyncio.open_connection(host, port)

    async with OwnHealth(
        lag, deadline_s=AMPLE_S, connect=connect, resolve=Resolver("localhost")
    ) as own:
        assert await own.trouble() == ""
    ((host, port),) = asked
    assert host == "127.0.0.1"
    with pytest.raises(OSError):
        await asyncio.open_connection(host, port)


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (OSError(24, "Too many open files"), "Too many open files"),
        (OSError("no number"), "no number"),
        (OSError(), "OSError"),
    ],
)
async def test_a_machine_that_cannot_reach_itself_is_in_trouble(
    lag: LoopLag, error: OSError, why: str
):
    """A connection to itself that fails is trouble, by the reason the system gives."""

    async def connect(host, port):
        raise error

    async with OwnHealth(lag, connect=connect, resolve=Resolver("localhost")) as own:
        assert await own.trouble() == f"no connection to itself over 127.0.0.1: {why}"


async def test_a_connection_to_itself_has_a_deadline(lag: LoopLag):
    """A connection to itself that hangs is given up and is trouble."""
    async with OwnHealth(lag, deadline_s=0, connect=never, resolve=Resolver("localhost")) as own:
        assert await own.trouble() == "no connection to itself over 127.0.0.1: not within 0 s"


@dataclass
class Line:
    """A connection's own end; *error* is how its closing ends."""

    error: OSError | None = None
    closed: bool = False

    def close(self) -> None:
        self.closed = True

    async def wait_closed(self) -> None:
        if self.error is not None:
            raise self.error

    def streams(
        self, reader: asyncio.StreamReader
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return reader, cast(asyncio.StreamWriter, self)


async def test_a_connection_that_nobody_accepts_proves_nothing(lag: LoopLag):
    """The kernel opens connections for a process that stands still: its answer is waited for."""
    line = Line()

    async def connect(host, port):
        return line.streams(asyncio.StreamReader())

    async with OwnHealth(lag, deadline_s=0, connect=connect, resolve=Resolver("localhost")) as own:
        assert await own.trouble() == "no connection to itself over 127.0.0.1: not within 0 s"
    assert line.closed


async def test_a_connection_that_ends_roughly_is_a_connection(lag: LoopLag):
    """An error after the daemon has answered itself is no trouble."""
    line = Line(error=ConnectionResetError())

    async def connect(host, port):
        reader = asyncio.StreamReader()
        reader.feed_eof()
        return line.streams(reader)

    async with OwnHealth(
        lag, deadline_s=AMPLE_S, connect=connect, resolve=Resolver("localhost")
    ) as own:
        assert await own.trouble() == ""
    assert line.closed


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (NO_ADDRESS, "Temporary failure in name resolution"),
        (RuntimeError("can't start new thread"), "can't start new thread"),
    ],
)
async def test_a_resolver_that_does_not_know_localhost_is_in_trouble(
    lag: LoopLag, error: Exception, why: str
):
    """A machine that does not find its own name, or cannot ask for it, is no judge of others."""
    async with OwnHealth(lag, deadline_s=AMPLE_S, resolve=Resolver(error=error)) as own:
        assert await own.trouble() == f"localhost does not resolve here: {why}"


async def test_a_resolver_has_a_deadline(lag: LoopLag):
    """A resolver that hangs over localhost is given up and is trouble."""
    async with OwnHealth(lag, deadline_s=0, resolve=never) as own:
        assert "localhost does not resolve here: not within 0 s" in await own.trouble()


async def test_names_of_which_none_resolves_are_trouble(lag: LoopLag, resolv_conf: Path):
    """Where not one watched name has an address, this machine's name service is at fault."""
    async with OwnHealth(
        lag,
        hosts=lambda: ["spark-2.lan", "gateway.example", "10.0.0.7"],
        deadline_s=AMPLE_S,
        resolv_conf=resolv_conf,
        resolve=Resolver("localhost"),
    ) as own:
        assert await own.trouble() == "no name resolves here: gateway.example, spark-2.lan"


@pytest.mark.parametrize(
    ("code", "trouble"), [(socket.EAI_NONAME, False), (socket.EAI_AGAIN, True)]
)
async def test_a_name_that_a_server_says_is_not_there_is_no_trouble_of_ours(
    lag: LoopLag, resolv_conf: Path, code: int, trouble: bool
):
    """A record that was deleted is answered; only silence of the name servers is our trouble."""

    async def resolve(host: str) -> None:
        if host != "localhost":
            raise socket.gaierror(code, "as told")

    async with OwnHealth(
        lag,
        hosts=lambda: ["gateway.example"],
        deadline_s=AMPLE_S,
        resolv_conf=resolv_conf,
        resolve=resolve,
    ) as own:
        assert bool(await own.trouble()) == trouble


@pytest.mark.parametrize("known", ["gateway.example", "spark-2.lan"])
async def test_one_name_that_resolves_proves_the_name_service(
    lag: LoopLag, resolv_conf: Path, known: str
):
    """A name without an address beside one that has an address says nothing about this machine."""
    async with OwnHealth(
        lag,
        hosts=lambda: ["gateway.example", "spark-2.lan"],
        deadline_s=AMPLE_S,
        resolv_conf=resolv_conf,
        resolve=Resolver("localhost", known),
    ) as own:
        assert await own.trouble() == ""


@pytest.mark.parametrize("text", [None, "# no server\n"], ids=["no file", "no server"])
async def test_without_name_servers_no_name_is_looked_up(
    lag: LoopLag, tmp_path: Path, text: str | None
):
    """A machine that has no name server cannot be at fault for not reaching it."""
    file = tmp_path / "resolv.conf"
    if text is not None:
        file.write_text(text)
    resolver = Resolver("localhost")
    async with OwnHealth(
        lag,
        hosts=lambda: ["gateway.example"],
        deadline_s=AMPLE_S,
        resolv_conf=file,
        resolve=resolver,
    ) as own:
        assert await own.trouble() == ""
    assert resolver.asked == ["localhost"]


async def test_hosts_are_those_watched_now(lag: LoopLag, resolv_conf: Path):
    """A part that is watched since the last question is asked for in the next."""
    hosts = ["10.0.0.7"]
    async with OwnHealth(
        lag,
        hosts=lambda: hosts,
        deadline_s=AMPLE_S,
        resolv_conf=resolv_conf,
        resolve=Resolver("localhost"),
    ) as own:
        assert await own.trouble() == ""
        hosts.append("gateway.example")
        assert await own.trouble() == "no name resolves here: gateway.example"


async def test_the_machine_s_own_resolver_knows_localhost():
    """The real resolver has an address of localhost."""
    assert await look_up("localhost")


async def test_a_name_that_no_resolver_takes_does_not_resolve(lag: LoopLag, resolv_conf: Path):
    """A host name that cannot be asked for is one without an address, not an error."""
    name = "a" * 64
    async with OwnHealth(
        lag, hosts=lambda: [name], deadline_s=AMPLE_S, resolv_conf=resolv_conf
    ) as own:
        assert await own.trouble() == f"no name resolves here: {name}"


@pytest.mark.parametrize(
    ("late_s", "words"),
    [(2.0, ""), (2.5, "its own event loop stood still for 2.5 s")],
)
async def test_a_loop_that_stood_still_is_trouble(
    lag: LoopLag, clock: ManualClock, late_s: float, words: str
):
    """More than two seconds of standstill are trouble, exactly two are not."""
    async with (
        measuring(lag, clock),
        OwnHealth(lag, deadline_s=AMPLE_S, resolve=Resolver("localhost")) as own,
    ):
        await wake_late(clock, late_s)
        assert await own.trouble() == words


async def test_a_standstill_of_long_ago_is_forgiven(lag: LoopLag, clock: ManualClock):
    """A standstill of more than 30 s ago is no trouble now."""
    async with (
        measuring(lag, clock),
        OwnHealth(lag, deadline_s=AMPLE_S, resolve=Resolver("localhost")) as own,
    ):
        await wake_late(clock, 3)
        for _ in range(int(30 / EVERY_S)):
            await wake_late(clock, 0)
        assert await own.trouble() != ""
        await wake_late(clock, 0)
        assert await own.trouble() == ""


async def test_own_health_asks_only_while_it_listens(lag: LoopLag):
    """Outside its context there is no port of its own, and asking is a mistake of the caller."""
    own = OwnHealth(lag)
    with pytest.raises(RuntimeError, match="while its context is entered"):
        await own.trouble()
    async with own:
        pass
    with pytest.raises(RuntimeError, match="while its context is entered"):
        await own.trouble()
