"""Every value that the file leaves to the running container is there."""

from collections.abc import Iterable

from supervisor.rollout.facts import RolloutFacts
from supervisor.rollout.finding import Answer, Finding


def check(facts: RolloutFacts) -> Iterable[Finding]:
    """Ask for what could not be filled in."""
    for what in facts.unresolved:
        yield Finding(
            "values",
            Answer.REFUSED,
            "a value that is not written down is in the container that runs",
            f"{what} has none there" if " " not in what else what,
            "Write the value into the rollout file, or leave the name out.",
        )
