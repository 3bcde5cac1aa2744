"""The gateway as it was read last."""

from chaos.gateway.topology import Topology, Trigger
from supervisor.store.evidence import clean
from supervisor.web.answers.answer import Answer


class DeploymentAnswer(Answer):
    """One upstream of a model group; null means unknown."""

    id: str
    litellm_model: str
    provider: str
    base_url: str | None
    local: bool
    max_input_tokens: int | None
    supports_tools: bool | None


class GroupAnswer(Answer):
    """A model group and its deployments."""

    name: str
    deployments: tuple[DeploymentAnswer, ...]


class ChainAnswer(Answer):
    """The hops of a group for one trigger, the group itself first."""

    group: str
    trigger: Trigger
    hops: tuple[str, ...]
    missing: tuple[str, ...]
    cut: tuple[str, ...]


class TopologyAnswer(Answer):
    """The gateway as it was read last."""

    litellm_version: str
    groups: tuple[GroupAnswer, ...]
    chains: tuple[ChainAnswer, ...]

    @classmethod
    def of(cls, topology: Topology) -> "TopologyAnswer":
        """Show *topology*, without passwords in addresses."""
        return cls(
            litellm_version=topology.litellm_version,
            groups=tuple(
                GroupAnswer(
                    name=group.name,
                    deployments=tuple(
                        DeploymentAnswer(
                            id=one.id,
                            litellm_model=one.litellm_model,
                            provider=one.provider,
                            base_url=None if one.base_url is None else clean(one.base_url),
                            local=one.local,
                            max_input_tokens=one.max_input_tokens,
                            supports_tools=one.supports_tools,
                        )
                        for one in group.deployments
                    ),
                )
                for group in topology.groups.values()
            ),
            chains=tuple(
                ChainAnswer(
                    group=chain.group,
                    trigger=chain.trigger,
                    hops=chain.hops,
                    missing=chain.missing,
                    cut=chain.cut,
                )
                for chain in topology.chains
            ),
        )
