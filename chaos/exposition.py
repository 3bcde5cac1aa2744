"""Take the text in which Prometheus metrics are published apart: engines and gateways speak it.

Source: the exposition format of Prometheus, version 0.0.4.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_SAMPLE = re.compile(
    r"^(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>(?:[^\"}]|\"(?:[^\"\\]|\\.)*\")*)\})?"
    r"\s+(?P<value>\S+)"
)
_LABEL = re.compile(r"(\w+)=\"((?:[^\"\\]|\\.)*)\"")


@dataclass(frozen=True, slots=True)
class Sample:
    """One line."""

    name: str
    labels: Mapping[str, str]
    value: float


def samples(text: str) -> Iterator[Sample]:
    """Read a page; what is no sample, or has no finite value, says nothing and is left out."""
    for line in text.splitlines():
        found = _SAMPLE.match(line)
        if found is None:
            continue
        try:
            value = float(found["value"])
        except ValueError:
            continue
        if math.isfinite(value):
            labels = dict(_LABEL.findall(found["labels"] or ""))
            yield Sample(found["name"], labels, value)
