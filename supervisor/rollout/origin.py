"""What is found of an engine that runs, or should, before there is a rollout file."""

from dataclasses import dataclass

from supervisor.rollout.container_spec import ContainerSpec


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a first rollout file comes from.

    Attributes:
        container: The container that is to be exchanged.
        spec: What is to run; secrets are not in it.
        left_out: What the origin says and a rollout file cannot, a line each.
        source: Where it was read, for people.
    """

    container: str
    spec: ContainerSpec
    left_out: tuple[str, ...] = ()
    source: str = ""
