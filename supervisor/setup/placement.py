"""Where the witness stands, so that LiteLLM reaches it and as few others as possible can.

In a container ``127.0.0.1`` is the container's own, so LiteLLM must dial another name there.
Deciding is pure; looking around is ``look_around``'s.
"""

import contextlib
import fcntl
import ipaddress
import socket
import struct
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from chaos.process.ports import holder

SIOCGIFADDR = 0x8915
DEFAULT_BRIDGE = "172.17.0.1"
"""Docker's own default for ``docker0``, to which it resolves ``host-gateway``."""


class Place(StrEnum):
    """Where LiteLLM runs, as seen from Understudy."""

    HOST = "host"
    BRIDGE = "bridge"
    COMPOSE = "compose"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What can be seen from here.

    Attributes:
        in_container: Understudy itself runs in one.
        gateway_holder: Which process listens at the gateway's port, if it is on this machine.
        bridge: The address of Docker's bridge; None if there is no such interface.
        own_address: This machine's address towards the gateway.
    """

    in_container: bool = False
    gateway_holder: str = ""
    bridge: str | None = None
    own_address: str | None = None


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the witness listens, what LiteLLM dials, and what else that takes.

    Attributes:
        sentence: Why it is so, for the configuration's comment.
        extra: Lines for the Compose file; empty where none are needed.
    """

    place: Place
    listen: tuple[str, ...]
    url: str
    sentence: str
    extra: str = ""


def detect(gateway_url: str, seen: Surroundings) -> Place:
    """Tell where LiteLLM probably runs.

    A gateway at loopback shares our network, also where all of it is one container.
    """
    host = urlsplit(gateway_url).hostname or ""
    if seen.in_container and not _loopback(host):
        return Place.COMPOSE
    if "docker" in seen.gateway_holder or _on_bridge(host, seen.bridge):
        return Place.BRIDGE
    return Place.HOST


def placement(place: Place, gateway_url: str, seen: Surroundings, port: int) -> Placement:
    """Say where the witness stands when LiteLLM is at *place*."""
    if place is Place.COMPOSE:
        return Placement(
            place,
            (f"0.0.0.0:{port}",),
            f"http://understudy:{port}",
            "LiteLLM and Understudy are services of one Compose project; publish no port for it.",
            f"services:\n  understudy:  # the service's name is what LiteLLM dials\n"
            f'    expose: ["{port}"]',
        )
    if place is Place.BRIDGE:
        return Placement(
            place,
            (f"{seen.bridge or DEFAULT_BRIDGE}:{port}",),
            f"http://host.docker.internal:{port}",
            "LiteLLM runs in a container; the witness listens on Docker's bridge only.",
            'services:\n  litellm:\n    extra_hosts: ["host.docker.internal:host-gateway"]',
        )
    address = "127.0.0.1"
    if not _loopback(urlsplit(gateway_url).hostname or "") and seen.own_address:
        address = seen.own_address
    where = "on this machine" if address == "127.0.0.1" else "on another machine"
    shown = f"[{address}]" if ":" in address else address
    return Placement(
        place, (f"{shown}:{port}",), f"http://{shown}:{port}", f"LiteLLM runs {where}."
    )


def look_around(gateway_url: str) -> Surroundings:
    """See what ``detect`` and ``placement`` need."""
    parts = urlsplit(gateway_url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return Surroundings(
        in_container=Path("/.dockerenv").exists() or Path("/run/.containerenv").exists(),
        gateway_holder=holder(port) if _loopback(host) else "",
        bridge=_address_of("docker0"),
        own_address=_own_address(host, port),
    )


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _on_bridge(host: str, bridge: str | None) -> bool:
    """Containers have addresses of the bridge's own network, a /16 by Docker's default."""
    try:
        network = ipaddress.ip_network(f"{bridge or DEFAULT_BRIDGE}/16", strict=False)
        return ipaddress.ip_address(host) in network
    except ValueError:
        return False


def _address_of(interface: str) -> str | None:
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        asked = struct.pack("256s", interface.encode()[:15])
        return socket.inet_ntoa(fcntl.ioctl(probe.fileno(), SIOCGIFADDR, asked)[20:24])
    return None


def _own_address(host: str, port: int) -> str | None:
    """Tell the address from which this machine would dial *host*; nothing is sent."""
    with contextlib.suppress(OSError):
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as probe:
            probe.connect(address)
            return str(probe.getsockname()[0])
    return None
