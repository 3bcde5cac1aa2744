"""The notify protocol against a real socket, and sockets that are passed to a real process."""

import os
import secrets
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from supervisor.systemd import STATUS_CHARACTERS, Systemd, passed_sockets, refuse_waiting
from tests.fakes.service_manager import service_manager


async def test_each_state_is_one_datagram(tmp_path: Path):
    """Exactly what systemd reads, in the order in which it was said."""
    async with service_manager(tmp_path) as manager:
        systemd = Systemd(manager.address)
        systemd.starting("Opening the store", 60.0)
        systemd.ready("All 24 paths proven")
        systemd.alive()
        systemd.status("1 of 24\npaths failed")
        systemd.stopping()
        assert manager.waiting() == [
            {"EXTEND_TIMEOUT_USEC": "60000000", "STATUS": "Opening the store"},
            {"READY": "1", "STATUS": "All 24 paths proven"},
            {"WATCHDOG": "1"},
            {"STATUS": "1 of 24 paths failed"},
            {"STOPPING": "1", "STATUS": "Stopping"},
        ]


async def test_a_reload_carries_the_time_of_its_beginning(tmp_path: Path):
    """Of the monotonic clock, in microseconds: systemd waits for a READY=1 after it."""
    async with service_manager(tmp_path) as manager:
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        Systemd(manager.address).reloading()
        (message,) = manager.waiting()
        assert message["RELOADING"] == "1"
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        assert before <= int(message["MONOTONIC_USEC"]) <= now


def test_an_abstract_address_is_reached():
    """Its zero byte is written as an at sign."""
    name = f"understudy-test-{secrets.token_hex(8)}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0{name}")
        Systemd(f"@{name}").alive()
        assert listener.recv(100) == b"WATCHDOG=1"


@pytest.mark.parametrize("address", [None, "", "/nowhere/notify"])
def test_a_manager_that_does_not_listen_stops_nobody(address: str | None):
    """Without systemd, and after its socket has gone."""
    Systemd(address).ready("fine")


async def test_a_manager_that_does_not_read_stops_nobody(tmp_path: Path):
    """More datagrams than fit into its buffer are lost, not waited for."""
    async with service_manager(tmp_path) as manager:
        for _ in range(10_000):
            Systemd(manager.address).status("x" * STATUS_CHARACTERS)


async def test_a_status_is_cut_where_it_would_not_be_sent(tmp_path: Path):
    """A message of a provider may be long."""
    async with service_manager(tmp_path) as manager:
        Systemd(manager.address).status("ü" * 1_000_000)
        (message,) = manager.waiting()
        assert message["STATUS"] == "ü" * STATUS_CHARACTERS


def test_no_child_speaks_for_the_service():
    """What systemd says to the daemon is taken out of the environment."""
    environment = {
        "NOTIFY_SOCKET": "/run/notify",
        "WATCHDOG_USEC": "30000000",
        "WATCHDOG_PID": str(os.getpid()),
        "PATH": "/bin",
    }
    assert Systemd.of(environment) == Systemd("/run/notify", 30.0)
    assert environment == {"PATH": "/bin"}


@pytest.mark.parametrize(
    "environment", [{}, {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": "x"}]
)
def test_a_watchdog_of_another_process_is_not_ours(environment: dict[str, str]):
    """It was inherited from the shell that started us."""
    assert Systemd.of(environment).watchdog_s is None


TAKES_SOCKETS = """
import os
from supervisor.systemd import passed_sockets
os.environ["LISTEN_PID"] = str(os.getpid())
held = passed_sockets(os.environ)
print(*(f"{one.getsockname()[1]} {one.get_inheritable()}" for one in held), flush=True)
print(sorted(name for name in os.environ if name.startswith("LISTEN")))
"""


def test_sockets_are_taken_from_descriptor_three_on():
    """As systemd passes them, and not handed on to children."""
    with socket.create_server(("127.0.0.1", 0)) as held:

        def pass_on() -> None:
            os.dup2(held.fileno(), 3)

        ran = subprocess.run(
            [sys.executable, "-c", TAKES_SOCKETS],
            env={**os.environ, "LISTEN_FDS": "1", "LISTEN_FDNAMES": "witness"},
            preexec_fn=pass_on,
            close_fds=False,
            capture_output=True,
            text=True,
            check=True,
        )
        assert ran.stdout.splitlines() == [f"{held.getsockname()[1]} False", "[]"]


@pytest.mark.parametrize(
    "environment", [{}, {"LISTEN_FDS": "1"}, {"LISTEN_FDS": "1", "LISTEN_PID": "1"}]
)
def test_sockets_of_another_process_are_not_taken(environment: dict[str, str]):
    """The variables were inherited; descriptor three is something else here."""
    assert passed_sockets(environment) == []


def test_who_waits_at_a_socket_is_sent_away():
    """And nobody is waiting afterwards, so systemd has no reason to start the daemon anew."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        held.setblocking(False)
        with socket.create_connection(held.getsockname()) as caller:
            refuse_waiting(held)
            assert caller.recv(1) == b""
        with pytest.raises(BlockingIOError):
            held.accept()
