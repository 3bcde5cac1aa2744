"""A fresh benchmark of the old engine is there: without one nobody knows whether it got slower."""

from collections.abc import Iterable, Mapping
from typing import Any

from supervisor.rollout.facts import RolloutFacts
from supervisor.rollout.finding import Answer, Finding
from supervisor.settings.values import duration_text


def _names_of(image: Mapping[str, Any]) -> set[str]:
    return {str(image.get("Id")), *map(str, image.get("RepoDigests") or ())}


def check(facts: RolloutFacts) -> Iterable[Finding]:
    """Ask for one that is young enough, of the engine as it is now."""
    limit, one = facts.file.limits.baseline_age, facts.baseline
    asked = f"a benchmark of {facts.file.engine} that is not older than {duration_text(limit)}"
    if one is not None and facts.now - one.taken_at <= limit:
        speed = f", {one.decode_tps:.1f} tokens a second" if one.decode_tps else ""
        came = f"{one.id}, {duration_text(facts.now - one.taken_at, units=2)} old{speed}"
        digest = one.conditions.image_digest
        if digest and facts.old_image is not None and digest not in _names_of(facts.old_image):
            yield Finding(
                "baseline",
                Answer.WARNING,
                asked,
                f"{came}; it was of another image than the one that runs",
                f"Measure again: understudy bench run {facts.file.engine}",
            )
            return
        yield Finding("baseline", Answer.OK, asked, came)
        return
    came = (
        f"the newest is {one.id}, {duration_text(facts.now - one.taken_at, units=2)} old"
        if one is not None
        else "none is kept"
    )
    if facts.without_baseline:
        yield Finding(
            "baseline", Answer.WARNING, asked, f"{came}; wanted so: {facts.without_baseline}"
        )
        return
    yield Finding(
        "baseline",
        Answer.REFUSED,
        asked,
        came,
        f"Measure it: understudy bench run {facts.file.engine}; or say why not: "
        "--without-baseline REASON.",
    )
