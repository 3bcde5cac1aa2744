"""The model's files are whole."""

from collections.abc import Iterable

from supervisor.probes.kinds.host import size_text
from supervisor.rollout.facts import RolloutFacts
from supervisor.rollout.finding import Answer, Finding


def check(facts: RolloutFacts) -> Iterable[Finding]:
    """Ask for the files of weights, their lengths and their hashes."""
    model, asked = facts.model, "every file of the model that its index names, whole"
    if model is None:
        return
    for problem in model.problems:
        yield Finding(
            "model",
            Answer.REFUSED,
            asked,
            problem,
            f"Fetch it again: hf download {model.asked_for}"
            if not model.asked_for.startswith("/")
            else "Fetch it again.",
        )
    for doubt in model.doubts:
        yield Finding("model", Answer.UNKNOWN, asked, doubt)
    if not model.problems and model.shards:
        hashed = f", {model.hashed} by their hash" if model.hashed else ""
        yield Finding(
            "model",
            Answer.OK,
            asked,
            f"{model.shards} file{'' if model.shards == 1 else 's'} of weights{hashed}, "
            f"{size_text(model.weights_bytes)}, in {model.folder}",
        )
