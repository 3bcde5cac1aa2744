"""The keys of local engines, for the addresses at which each is asked and no other."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from chaos.gateway.topology import Topology


def keys_by_address(
    topology: Topology, urls: Mapping[str, str], keys: Mapping[str, str]
) -> dict[str, str]:
    """List the keys of local engines by the ``host:port`` at which each is asked.

    Args:
        urls: Where this machine reaches each engine, by model group.
        keys: What each asks for, by model group.
    """
    found = {}
    for name, key in keys.items():
        group = topology.find(name)
        own = [d.base_url for d in group.deployments if d.local] if group else []
        for url in filter(None, (urls.get(name), *own)):
            found[urlsplit(url).netloc] = key
    return found
