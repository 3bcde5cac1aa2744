"""Who holds a port."""

import os
import socket
from pathlib import Path

import pytest

from chaos.process import ports
from chaos.process.ports import free_port, holder, is_at

KERNEL = "/proc/sys/net/ipv4/ip_local_port_range"


def test_no_outgoing_connection_can_take_a_free_port():
    """The kernel hands the ports of its own range to whoever connects, in TIME_WAIT for a minute.

    A daemon of a test once found the port that it was given taken by somebody's connection.
    """
    first, last = map(int, Path(KERNEL).read_text("ascii").split())
    named = [free_port() for _ in range(100)]
    assert not [port for port in named if first <= port <= last]
    assert len(set(named)) == len(named), "the same port is never given to two servers"


def test_where_the_kernel_hands_out_every_port_it_is_asked(monkeypatch):
    """A container may be set up so."""
    monkeypatch.setattr(ports, "_first_of_the_kernel", lambda: 1024)
    first, last = map(int, Path(KERNEL).read_text("ascii").split())
    port = free_port()
    assert first <= port <= last
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_a_port_that_somebody_has_is_not_named(monkeypatch):
    """Of two ports below the kernel's range, one of them taken, the other comes."""
    low = free_port()
    monkeypatch.setattr(ports, "_LOWEST", low)
    monkeypatch.setattr(ports, "_first_of_the_kernel", lambda: low + 2)
    monkeypatch.setattr(ports, "_named", set())
    with socket.create_server(("127.0.0.1", low)):
        assert free_port() == low + 1


def test_a_host_of_no_machine_is_not_searched_for_ports():
    """The reason is told at once."""
    with pytest.raises(OSError, match="assign"):
        free_port("192.0.2.1")


def test_the_holder_of_a_port_is_named_with_its_pid():
    """A message about a taken port says which process to stop."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert f"(pid {os.getpid()})" in holder(server.getsockname()[1])


def test_a_free_port_has_no_holder_that_we_can_name():
    """A port that nobody listens on is not blamed on anyone."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert holder(port) == "a process that this user may not see"


@pytest.mark.parametrize(
    ("host", "here"),
    [("127.0.0.1", True), ("127.0.0.2", False), ("0.0.0.0", False), ("::1", False), ("x", False)],
)
def test_a_socket_is_known_by_its_address_and_port(host: str, here: bool):
    """One that listens elsewhere is another one."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        assert is_at(held, host, port) is here
        assert not is_at(held, host, port - 1)


def test_a_socket_of_version_six_is_known_in_any_spelling():
    """Brackets and zeros are ways of writing."""
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as held:
        port = held.getsockname()[1]
        assert is_at(held, "[::1]", port)
        assert is_at(held, "0:0:0:0:0:0:0:1", port)
