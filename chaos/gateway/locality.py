"""Which upstreams are local: they cost nothing, and are asked for real and never stood in for.

One definition for drills and audits. Local is what the settings name as an engine, what only a
local inference server speaks (``hosted_vllm/``, ``ollama/`` …), and every address that is
loopback, private, link-local or in 100.64/10 (a tailnet), also behind a host name. The settings'
``paid`` groups are not, whatever they look like.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

LOCAL_PROVIDERS = frozenset(
    {
        "docker_model_runner",
        "hosted_vllm",
        "infinity",
        "lemonade",
        "llamafile",
        "lm_studio",
        "ollama",
        "ollama_chat",
        "vllm",
        "xinference",
    }
)
"""LiteLLM's prefixes of servers that people run themselves."""

LOCAL_NAMES = frozenset({"localhost", "host.docker.internal", "gateway.docker.internal"})
LOCAL_SUFFIXES = (".internal", ".local", ".localhost", ".lan", ".home.arpa")
"""Suffixes that no public name has (RFC 6761, RFC 6762, RFC 8375; ICANN reserves ``internal``)."""

_SHARED = ipaddress.ip_network("100.64.0.0/10")
"""Carrier-grade NAT, which tailnets use. Source: RFC 6598."""

LOOKUP_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Locality:
    """What is known about where upstreams are.

    Attributes:
        engines: Local engines by model group, as the user names them.
        paid: Model groups that cost money, whatever their address.
        addresses: What host names resolve to here; empty for a name that has no address.
    """

    engines: Mapping[str, str] = field(default_factory=dict)
    paid: Collection[str] = ()
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def is_local(self, group: str, provider: str, base_url: str | None) -> bool:
        """Tell whether a deployment of *group* is local."""
        if group in self.paid:
            return False
        if group in self.engines or provider in LOCAL_PROVIDERS:
            return True
        if not base_url:
            return False
        parts = urlsplit(base_url)
        if any(urlsplit(url).netloc == parts.netloc for url in self.engines.values()):
            return True
        return self._local_host(parts.hostname or "")

    def also_called(self, names: Mapping[str, str]) -> "Locality":
        """Hold for groups what the user says of their other *names*, such as a wildcard's."""
        named = {group: self.engines[n] for n, group in names.items() if n in self.engines}
        paid = [group for name, group in names.items() if name in self.paid]
        return replace(self, engines={**named, **self.engines}, paid={*self.paid, *paid})

    def resolves(self, base_url: str | None) -> bool:
        """Tell whether this machine has an address for the host, or it was never looked up."""
        host = urlsplit(base_url or "").hostname or ""
        return bool(self.addresses.get(host, ("unasked",)))

    def _local_host(self, host: str) -> bool:
        if host in LOCAL_NAMES or host.endswith(LOCAL_SUFFIXES):
            return True
        literal = _address(host)
        if literal is not None:
            return is_private(literal)
        found = self.addresses.get(host, ())
        if found:
            return all(is_private(ip) for text in found if (ip := _address(text)) is not None)
        # A name without a dot is a neighbour's in the same Compose project or network.
        return bool(host) and "." not in host


def is_private(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Tell whether nobody on the Internet is behind *address*."""
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        return is_private(mapped)
    shared = address.version == 4 and address in _SHARED
    return address.is_loopback or address.is_private or address.is_link_local or shared


def hosts_of(urls: Iterable[str | None]) -> frozenset[str]:
    """List the host names of *urls* that have to be looked up."""
    hosts = {urlsplit(url).hostname or "" for url in urls if url}
    return frozenset(host for host in hosts if host and _address(host) is None)


async def look_up(hosts: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Ask this machine's resolver for the addresses of *hosts*.

    Returns:
        Empty for a name that has none; a name that could not be looked up in time is left out.
    """
    found: dict[str, tuple[str, ...]] = {}
    loop = asyncio.get_running_loop()

    async def one(host: str) -> None:
        try:
            async with asyncio.timeout(LOOKUP_WITHIN_S):
                rows = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except socket.gaierror:
            found[host] = ()
        except (OSError, TimeoutError, UnicodeError):
            return
        else:
            found[host] = tuple(dict.fromkeys(str(row[4][0]) for row in rows))

    async with asyncio.TaskGroup() as tasks:
        for host in hosts:
            tasks.create_task(one(host))
    return found


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
