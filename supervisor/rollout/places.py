"""Ports and names: which a container needs, and who has them."""

import socket
from collections.abc import Iterable, Mapping

from supervisor.rollout.command_line import VllmCommand
from supervisor.rollout.container_spec import ContainerSpec
from supervisor.rollout.docker_host import LABEL, DockerHost

MOST_PORT = 65535
DEFAULT_PORT = "8000"
"""vLLM's own."""


def ports_of(spec: ContainerSpec, command: VllmCommand | None) -> tuple[int, ...]:
    """Name the ports of this machine that a container takes."""
    if spec.network != "host":
        return tuple(one.host for one in spec.ports if one.host is not None)
    if command is None:
        return ()
    written = command.value("--port") or DEFAULT_PORT
    return (int(written),) if written.isdigit() else ()


def port_holders(
    published: Mapping[int, str], container: str, own: Iterable[int], wanted: Iterable[int]
) -> dict[int, str]:
    """Say who has the ports that are wanted, if not the container that serves.

    Args:
        published: By port: which container publishes it.
        container: The one that serves.
        own: The ports that it has, which will be free.
    """
    held = {}
    for port in wanted:
        holder = published.get(port)
        if holder == container or port in own:
            continue
        if holder is not None:
            held[port] = f"the container {holder}"
        elif not is_free(port):
            there = 0 < port <= MOST_PORT
            held[port] = "a process of this machine" if there else "nobody, for there is none,"
    return held


def is_free(port: int) -> bool:
    """Try whether a port of this machine could be listened on, at every address."""
    with socket.socket() as trying:
        trying.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trying.bind(("", port))
        except (OSError, OverflowError):  # The second: there is no such port.
            return False
    return True


def name_holder(host: DockerHost, name: str) -> str:
    """Say who has a container's name, if not we; blocking."""
    there = host.container(name)
    if there is None or LABEL in ((there.get("Config") or {}).get("Labels") or {}):
        return ""
    return name
