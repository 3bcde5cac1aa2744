"""Where the upstreams really are: the twin itself knows only the witness."""

from collections.abc import Mapping
from dataclasses import replace

from chaos.drill.twin.config import TwinConfig
from chaos.gateway.client import Gateway
from chaos.gateway.locality import Locality
from chaos.gateway.topology import Deployment, ModelGroup, Topology
from chaos.gateway.topology_reader import base_url_of, read_deployment
from chaos.protocol.conversation import Json


async def locality_of(
    gateway: Gateway, made: TwinConfig, default_bases: Mapping[str, str]
) -> Locality:
    """Find out where the real upstreams are: the twin itself knows only the witness."""
    return await gateway.locality(base_url_of(d.original, default_bases) for d in made.deployments)


def with_real_addresses(
    topology: Topology,
    made: TwinConfig,
    locality: Locality,
    default_bases: Mapping[str, str],
) -> Topology:
    """Put the real addresses back into what the twin says of itself."""
    originals = {d.id: d.original for d in made.deployments}

    def real(groups: Mapping[str, ModelGroup]) -> dict[str, ModelGroup]:
        return {
            name: replace(
                group,
                deployments=tuple(
                    _real(deployment, originals.get(deployment.id), locality, default_bases)
                    for deployment in group.deployments
                ),
            )
            for name, group in groups.items()
        }

    whole = replace(topology, groups=real(topology.groups), other_names=real(topology.other_names))
    return whole.reached_at(locality.engines)


def _real(
    deployment: Deployment,
    original: Json | None,
    locality: Locality,
    default_bases: Mapping[str, str],
) -> Deployment:
    if original is None:
        return deployment
    real = read_deployment(original, locality, default_bases)
    return replace(deployment, base_url=real.base_url, local=real.local, resolves=real.resolves)
