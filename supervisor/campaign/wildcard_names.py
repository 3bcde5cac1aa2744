"""Find the models chosen for wildcards that stand for none: a misspelt pattern does nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from chaos.gateway.topology import Topology
from chaos.registry import suggestion


@dataclass(frozen=True, slots=True)
class Ineffective:
    """A choice that has no effect, why, and what to do."""

    pattern: str
    message: str
    remedy: str


def ineffective(chosen: Mapping[str, str], topology: Topology) -> Iterator[Ineffective]:
    """Find the choices for wildcards that the gateway does not have, or that it would not serve."""
    known = (*topology.standing, *topology.wildcards)
    for pattern, model in chosen.items():
        if topology.standing.get(pattern) == model:
            continue
        if model in topology.groups and model not in topology.standing.values():
            yield Ineffective(
                pattern,
                f"the model {model} does not stand for the wildcard {pattern}: it is a model group "
                "of its own, by which LiteLLM serves it",
                "Name a model that has no group of its own below wildcards in the configuration.",
            )
        else:
            yield Ineffective(
                pattern,
                f"the gateway has no wildcard {pattern}, and so {model} stands for none",
                "Name the wildcard as LiteLLM's configuration does; " + suggestion(pattern, known),
            )
