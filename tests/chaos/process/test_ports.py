"""Who holds a port."""

import os
import socket

from chaos.process.ports import holder


def test_the_holder_of_a_port_is_named_with_its_pid():
    """A message about a taken port says which process to stop."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert f"(pid {os.getpid()})" in holder(server.getsockname()[1])


def test_a_free_port_has_no_holder_that_we_can_name():
    """A port that nobody listens on is not blamed on anyone."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert holder(port) == "a process that this user may not see"
