"""What has happened since the daemon was started, counted: what a counter of Prometheus shows."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from chaos.drill.report import DrillRow
from chaos.judge.check import Kind, Result, Where
from chaos.judge.verdict import Outcome

DRILL_BUCKETS_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
LATENCY_BUCKETS_S = (0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


@dataclass(frozen=True, slots=True)
class Distribution:
    """How many values fell where.

    Attributes:
        bounds: Upper bounds, included; what is above the last one is counted in *total* only.
        counts: How many fell into each, for itself.
    """

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    total: int = 0
    sum: float = 0.0

    @classmethod
    def empty(cls, bounds: tuple[float, ...]) -> "Distribution":
        """Begin."""
        return cls(bounds, (0,) * len(bounds))

    def with_value(self, value: float) -> "Distribution":
        """Add one value."""
        at = bisect_left(self.bounds, value)
        counts = tuple(n + (place == at) for place, n in enumerate(self.counts))
        return Distribution(self.bounds, counts, self.total + 1, self.sum + value)


@dataclass(frozen=True, slots=True)
class Tally:
    """Everything that was counted, at one moment.

    Attributes:
        drills: By group, hop that had to serve, and outcome.
        failures: By group, hop, kind and where; a known gap is no failure.
        faults: By fault, without its variant, and outcome.
        gaps: Known gaps, by kind.
        latency: How long a client waited for a fallback that served, by group and hop.
    """

    drills: Mapping[tuple[str, str, Outcome], int] = field(default_factory=dict)
    failures: Mapping[tuple[str, str, Kind, str], int] = field(default_factory=dict)
    faults: Mapping[tuple[str, Outcome], int] = field(default_factory=dict)
    gaps: Mapping[Kind, int] = field(default_factory=dict)
    collateral: int = 0
    durations: Distribution = field(default_factory=lambda: Distribution.empty(DRILL_BUCKETS_S))
    latency: Mapping[tuple[str, str], Distribution] = field(default_factory=dict)


class Counting:
    """Counts drills as they end."""

    def __init__(self) -> None:
        self._drills: Counter[tuple[str, str, Outcome]] = Counter()
        self._failures: Counter[tuple[str, str, Kind, str]] = Counter()
        self._faults: Counter[tuple[str, Outcome]] = Counter()
        self._gaps: Counter[Kind] = Counter()
        self._collateral = 0
        self._durations = Distribution.empty(DRILL_BUCKETS_S)
        self._latency: dict[tuple[str, str], Distribution] = {}

    def add(self, row: DrillRow, *, hop: str, took_s: float, collateral: bool) -> None:
        """Count a drill that has ended.

        Args:
            hop: The path's: the one that had to serve, or ``none``.
        """
        group = row.scenario.group
        self._drills[group, hop, row.outcome] += 1
        self._faults[row.scenario.fault.partition(".")[0], row.outcome] += 1
        self._collateral += collateral
        self._durations = self._durations.with_value(took_s)
        if row.outcome is Outcome.FAILED and row.kind is not None:
            if row.known_gap is not None:
                self._gaps[row.kind] += 1
            else:
                self._failures[group, hop, row.kind, _where(row)] += 1
        waited_s = row.reply.ttft_s if row.reply.ttft_s is not None else row.reply.total_s
        if row.outcome is Outcome.PASSED and row.scenario.expected_hop == hop and waited_s:
            known = self._latency.get((group, hop), Distribution.empty(LATENCY_BUCKETS_S))
            self._latency[group, hop] = known.with_value(waited_s)

    def tally(self) -> Tally:
        """Take everything that was counted so far."""
        return Tally(
            MappingProxyType(dict(self._drills)),
            MappingProxyType(dict(self._failures)),
            MappingProxyType(dict(self._faults)),
            MappingProxyType(dict(self._gaps)),
            self._collateral,
            self._durations,
            MappingProxyType(dict(self._latency)),
        )


def _where(row: DrillRow) -> str:
    """Say where the finding lies that gave the verdict its kind."""
    found = (f for f in row.findings if f.result is Result.FAILED and f.kind is row.kind)
    return next((f.where.value for f in found if f.where is not None), Where.GATEWAY.value)
