"""Every metric of ``GET /metrics`` as a row, read from the collector itself."""

from collections.abc import Iterator
from datetime import UTC, datetime

from prometheus_client.metrics_core import Metric

from supervisor.metrics import StatusCollector
from supervisor.status import Condition, Status

SUFFIX = {"counter": "_total", "info": "_info"}


def metrics() -> Iterator[tuple[str, ...]]:
    """Every metric, with its type, labels and meaning."""
    yield ("metric", "type", "labels", "meaning")
    now = datetime.now(UTC)
    nothing = Status(now, Condition("", "", "", now, ""))
    for family in StatusCollector(nothing).collect():
        labels = ", ".join(f"`{label}`" for label in _labels(family))
        name = f"`{family.name}{SUFFIX.get(family.type, '')}`"
        yield (name, family.type, labels, family.documentation)


def _labels(family: Metric) -> tuple[str, ...]:
    if family.type == "info":
        return tuple(family.samples[0].labels)
    # The names are kept where only the family's own methods read them; its samples, which have
    # none yet, are the one other place.
    return tuple(getattr(family, "_labelnames", ()))
