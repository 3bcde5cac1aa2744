"""Who holds a port."""

import os
import socket

import pytest

from chaos.process.ports import holder, is_at


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
