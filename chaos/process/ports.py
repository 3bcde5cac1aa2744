"""TCP ports of this machine: who holds one, and which is free."""

import contextlib
import ipaddress
import socket
from pathlib import Path


def holder(port: int) -> str:
    """Name the process that listens on *port*, as far as ``/proc`` tells us.

    Source: ``/proc/net/tcp``: local address as hexadecimal ``ADDR:PORT``, state 0A is LISTEN,
    the tenth field is the socket's inode; ``/proc/PID/fd`` links to ``socket:[INODE]``.
    """
    inodes = {
        f"socket:[{fields[9]}]"
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for fields in _rows(table)
        if fields[3] == "0A" and int(fields[1].rsplit(":", 1)[1], 16) == port
    }
    for process in Path("/proc").glob("[0-9]*"):
        if inodes & set(_links(process / "fd")):
            return f"{_name(process)} (pid {process.name})"
    return "a process that this user may not see"


def _rows(table: str) -> list[list[str]]:
    try:
        lines = Path(table).read_text("ascii").splitlines()[1:]
    except OSError:
        return []
    return [line.split() for line in lines]


def _links(folder: Path) -> list[str]:
    links: list[str] = []
    # Another user's process, or one that has just gone.
    with contextlib.suppress(OSError):
        for entry in folder.iterdir():
            # A file closed meanwhile; in our own process always the listing itself.
            with contextlib.suppress(FileNotFoundError):
                links.append(str(entry.readlink()))
    return links


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text("utf-8").strip()
    except OSError:
        return "a process that has just gone"


def free_port(host: str = "127.0.0.1") -> int:
    """Name a port that was free a moment ago, for a server that cannot be given port 0."""
    with socket.create_server((host, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def is_at(held: socket.socket, host: str, port: int) -> bool:
    """Report whether the listening socket *held* is bound to *host*, an address, and *port*."""
    if held.family not in {socket.AF_INET, socket.AF_INET6}:
        return False
    bound = held.getsockname()
    with contextlib.suppress(ValueError):  # A name instead of an address.
        same = ipaddress.ip_address(bound[0]) == ipaddress.ip_address(host.strip("[]"))
        return same and bound[1] == port
    return (bound[0], bound[1]) == (host, port)
