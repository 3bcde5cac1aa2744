"""Add up a page of metrics by name, and where it matters by label."""

from collections import Counter

from supervisor.engine.metrics import SAMPLE


def sums(text: str) -> Counter[str]:
    """Add up the samples of each metric; also under ``name{labels}`` for one ``label="value"``."""
    found: Counter[str] = Counter()
    for line in text.splitlines():
        sample = SAMPLE.match(line)
        if sample is None:
            continue
        value = float(sample["value"])
        found[sample["name"]] += value  # type: ignore[assignment]  # metrics are floats
        for label in (sample["labels"] or "").split(","):
            found[f"{sample['name']}{{{label}}}"] += value  # type: ignore[assignment]
    return found
