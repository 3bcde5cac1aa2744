"""Add up a page of metrics by name, and where it matters by label."""

from collections import Counter

from chaos.exposition import samples


def sums(text: str) -> Counter[str]:
    """Add up the samples of each metric; also under ``name{label="value"}`` for each label."""
    found: Counter[str] = Counter()
    for sample in samples(text):
        found[sample.name] += sample.value  # type: ignore[assignment]  # metrics are floats
        for label, value in sample.labels.items():
            found[f'{sample.name}{{{label}="{value}"}}'] += sample.value  # type: ignore[assignment]
    return found
