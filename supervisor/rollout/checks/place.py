"""Ports, names and devices that the new container needs are free or there."""

from collections.abc import Iterable
from pathlib import Path

from supervisor.rollout.facts import NEXT, RolloutFacts
from supervisor.rollout.finding import Answer, Finding


def check(facts: RolloutFacts) -> Iterable[Finding]:
    """Ask who has them."""
    taken = False
    for port, holder in facts.port_holders.items():
        taken = True
        yield Finding(
            "place",
            Answer.REFUSED,
            f"port {port} is free, or the old engine's",
            f"{holder} has it",
            "Give the new engine another port, or end that one.",
        )
    name = f"{facts.file.container}{NEXT}"
    if facts.name_holder:
        taken = True
        yield Finding(
            "place",
            Answer.REFUSED,
            f"the name {name} is free until the swap",
            "there is such a container, and Understudy did not make it",
            f"Rename it: docker rename {name} ANOTHER-NAME",
        )
    if not taken:
        yield Finding("place", Answer.OK, f"ports, and the name {name}", "free")
    runtimes = facts.docker.get("Runtimes") or {}
    # Docker names the folders where such devices would be, whether there are any or not.
    cdi = any(any(Path(folder).glob("*.[jy]*")) for folder in facts.docker.get("CDISpecDirs") or ())
    if facts.spec.gpus is not None and runtimes and "nvidia" not in runtimes and not cdi:
        yield Finding(
            "place",
            Answer.REFUSED,
            f"GPUs: {facts.spec.gpus}",
            "this Docker has no NVIDIA runtime and no CDI",
            "Install the NVIDIA Container Toolkit, or leave gpus out.",
        )
    runtime = facts.spec.runtime
    if runtime is not None and runtimes and runtime not in runtimes:
        yield Finding(
            "place",
            Answer.REFUSED,
            f"the runtime {runtime}",
            f"Docker has {', '.join(sorted(runtimes))}",
            "Install it, or leave runtime out.",
        )
