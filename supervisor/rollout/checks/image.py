"""The new image is here, and made for this machine."""

from collections.abc import Iterable, Mapping
from typing import Any

from supervisor.rollout.facts import RolloutFacts, image_suggestion
from supervisor.rollout.finding import Answer, Finding

_SAME = {"x86_64": "amd64", "aarch64": "arm64"}


def check(facts: RolloutFacts) -> Iterable[Finding]:
    """Ask for the image."""
    name, asked = facts.spec.image, "the image is here, made for this machine"
    if facts.image is None:
        meant = image_suggestion(facts)
        yield Finding(
            "image",
            Answer.REFUSED,
            asked,
            f"the image {name} is not here",
            f"Fetch it while the old engine serves: docker pull {name}"
            + (f" ({meant})" if meant.startswith("did you") else ""),
        )
        return
    machine = str(facts.docker.get("Architecture") or "")
    machine = _SAME.get(machine, machine)
    built_for = str(facts.image.get("Architecture") or "")
    if machine and built_for and machine != built_for:
        yield Finding(
            "image",
            Answer.REFUSED,
            asked,
            f"{name} is made for {built_for}, and this machine is {machine}",
            f"Fetch the other one: docker pull --platform linux/{machine} {name}",
        )
        return
    yield Finding("image", Answer.OK, asked, f"{name} is {short(digest_of(facts.image))}")


def short(digest: str) -> str:
    """Write a digest as people compare it: twelve digits of it."""
    name, at, hashed = digest.rpartition("@")
    kind, _, digits = hashed.rpartition(":")
    return f"{name}{at}{kind}:{digits[:12]}…" if len(digits) > 12 else digest


def digest_of(image: Mapping[str, Any]) -> str:
    """Name an image by what cannot change: the registry's digest, else its id."""
    digests = image.get("RepoDigests") or ()
    return str(digests[0]) if digests else str(image.get("Id") or "")
