"""How fast an engine is now against how fast it should be. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from supervisor.baseline.compare import Comparison, compare
from supervisor.baseline.record import Benchmark
from supervisor.baseline.text import TEXTS


@dataclass(frozen=True, slots=True)
class Speed:
    """One engine's speed.

    Attributes:
        taken: Every benchmark, oldest first.
        history: Those of them that say how fast the engine is: taken here, with a figure of a
            single stream of every text, and in the default way.
        baseline: What it is compared with: the newest that a person has taken, else the oldest
            that the daemon has; of the model that is served now. None before there is one.
        comparison: Of the newest with the baseline; None where the newest is the baseline.
    """

    taken: tuple[Benchmark, ...] = ()
    history: tuple[Benchmark, ...] = ()
    baseline: Benchmark | None = None
    comparison: Comparison | None = None

    @property
    def latest(self) -> Benchmark | None:
        """The newest."""
        return self.history[-1] if self.history else None

    @property
    def ratio(self) -> float | None:
        """Now by baseline; 1 while the newest is the baseline, None where nothing is known."""
        if self.comparison is not None:
            return self.comparison.speed_ratio
        return 1.0 if self.latest is not None else None


def speed_of(benchmarks: Sequence[Benchmark]) -> Speed:
    """Sum up the benchmarks of one engine.

    A benchmark that a person takes is the new baseline: that is how a change is accepted. Figures
    of another model, or of replies of another length, are no measure for this one; what has only
    some of the texts says nothing of the others, and takes nobody's place.
    """
    taken = tuple(sorted(benchmarks, key=lambda one: (one.taken_at, one.id)))
    history = tuple(one for one in taken if _says_how_fast(one))
    if not history:
        return Speed(taken)
    latest = history[-1]
    alike = [one for one in history if _comparable(one, latest)]
    by_hand = [one for one in alike if one.taken_by == "command"]
    baseline = by_hand[-1] if by_hand else alike[0]
    comparison = None if baseline is latest else compare(baseline, latest, alike)
    return Speed(taken, history, baseline, comparison)


def _says_how_fast(one: Benchmark) -> bool:
    figures = one.figures
    return one.own and not one.method.ignore_eos and all((name, 1) in figures for name in TEXTS)


def _comparable(one: Benchmark, other: Benchmark) -> bool:
    return one.conditions.model == other.conditions.model and one.method.like(other.method)
