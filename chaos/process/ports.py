"""TCP ports of this machine: who holds one, and which is free."""

import contextlib
import errno
import ipaddress
import random
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
    """Name a port that was free a moment ago, for a server that cannot be given port 0.

    A port that the kernel chooses, as it does for port 0, it also hands to the next outgoing
    connection of any process: a busy machine takes it before the server has bound it, and keeps
    it in TIME_WAIT for a minute. So this one lies below the kernel's own range, is drawn by
    chance, and is never named twice by one process.

    Raises:
        OSError: nothing can be bound at *host*, or every port below the range is taken.
    """
    below = range(_LOWEST, max(_LOWEST, _first_of_the_kernel()))
    for port in random.sample(below, len(below)):
        if port in _named or not _can_be_bound(host, port):
            continue
        _named.add(port)
        return port
    # The kernel hands out every port of this machine, or all of the others are taken.
    with socket.create_server((host, 0)) as probe:
        return int(probe.getsockname()[1])


_LOWEST = 16_384
"""Well-known servers, our own ports and those of the gateways and engines lie below."""

_named: set[int] = set()


def _first_of_the_kernel() -> int:
    """Read where the ports of outgoing connections begin.

    Source: Linux, ``Documentation/networking/ip-sysctl.rst``, ``ip_local_port_range``.
    """
    try:
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text("ascii").split()[0])
    except OSError:
        return 32_768  # Linux's default; elsewhere it is higher.


def _can_be_bound(host: str, port: int) -> bool:
    try:
        with socket.create_server((host, port)):
            return True
    except OSError as error:
        if error.errno in {errno.EADDRINUSE, errno.EACCES}:
            return False
        raise


def is_at(held: socket.socket, host: str, port: int) -> bool:
    """Report whether the listening socket *held* is bound to *host*, an address, and *port*."""
    if held.family not in {socket.AF_INET, socket.AF_INET6}:
        return False
    bound = held.getsockname()
    with contextlib.suppress(ValueError):  # A name instead of an address.
        same = ipaddress.ip_address(bound[0]) == ipaddress.ip_address(host.strip("[]"))
        return same and bound[1] == port
    return (bound[0], bound[1]) == (host, port)
