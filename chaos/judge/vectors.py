"""Are embeddings what an index needs, and are two sets of them the same? Pure.

A vector of another size, of zeros or of something else than numbers poisons an index, and so does
one that belongs to another text.
"""

import math
from collections.abc import Sequence
from itertools import combinations

from chaos.protocol.reading import Defect, Reading
from chaos.traffic.shape import Task

TOLERANCE = 1e-5
"""Of a vector's greatest number: gateways write them anew, and may have kept them in four bytes."""


def unfit(task: Task, reading: Reading) -> str | None:
    """Say what is wrong with the embeddings of one reply; None if nothing is."""
    sizes, wanted = reading.vector_sizes, task.expect.vectors
    if len(sizes) != wanted:
        return f"has {len(sizes)} embeddings for {wanted} texts"
    if 0 in sizes or len(set(sizes)) > 1:
        return f"has embeddings of the sizes {', '.join(map(str, sizes[:8]))}"
    if task.ask.dimensions is not None and sizes[0] != task.ask.dimensions:
        return f"has embeddings of {sizes[0]} numbers where {task.ask.dimensions} were asked for"
    if task.expect.vector_size is not None and sizes[0] != task.expect.vector_size:
        return (
            f"has embeddings of {sizes[0]} numbers where the group's own have "
            f"{task.expect.vector_size}: they fit no index of it"
        )
    if reading.has(Defect.INDEX_GAP):
        return "has embeddings in another order than their texts"
    if not all(math.isfinite(number) for vector in reading.vectors for number in vector):
        return "has an embedding with a value that is no number"
    if not all(any(vector) for vector in reading.vectors):
        return "has an embedding of nothing but zeros"
    if any(
        _same(one, other)
        for (text, one), (second, other) in combinations(
            zip(task.ask.inputs, reading.vectors, strict=True), 2
        )
        if text != second
    ):
        return "has the same embedding for different texts"
    return None


def same_vectors(one: Reading, other: Reading) -> bool:
    """Tell whether two replies carry the same numbers, in the same order."""
    return one.vector_sizes == other.vector_sizes and all(
        _same(ours, theirs) for ours, theirs in zip(one.vectors, other.vectors, strict=True)
    )


def _same(one: Sequence[float], other: Sequence[float]) -> bool:
    """Compare two vectors by the size of their own numbers, which may all be tiny."""
    finite = [abs(number) for number in (*one, *other) if math.isfinite(number)]
    apart = TOLERANCE * max(finite, default=0.0)
    return all(
        a == b or abs(a - b) <= apart or (math.isnan(a) and math.isnan(b))
        for a, b in zip(one, other, strict=True)
    )
