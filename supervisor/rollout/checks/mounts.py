"""What is to be mounted is there: Docker would make an empty folder in its place, or refuse."""

from collections.abc import Iterable

from supervisor.rollout.facts import RolloutFacts
from supervisor.rollout.finding import Answer, Finding


def check(facts: RolloutFacts) -> Iterable[Finding]:
    """Ask for the sources."""
    asked = "every file and folder that is to be mounted is there"
    for source in facts.missing_sources:
        yield Finding(
            "mounts", Answer.REFUSED, asked, f"{source} is not there", "Make it, or mend the path."
        )
    paths = [one for one in facts.spec.mounts if one.is_path]
    if paths and not facts.missing_sources:
        yield Finding("mounts", Answer.OK, asked, f"{len(paths)} of {len(paths)}")
