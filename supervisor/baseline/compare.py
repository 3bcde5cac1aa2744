"""Is one faster than the other? Ratios, each with an interval that says how sure that is. Pure.

Speeds are compared by their logarithms. Two things make the same configuration differ from itself:
runs of one boot (a percent), and boots (kernels are tuned at each start: 15 % on a Spark). Each has
a spread that is measured where it can be, and assumed where it cannot: what is assumed counts as so
many measurements (``BOOT_WEIGHT``, ``RUN_WEIGHT``), so that it fades as boots and runs are added.
"""

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from supervisor.baseline.record import Benchmark, Figures, Key

BOOTS_DIFFER_RATIO = 0.15
"""Two boots of one configuration, at most (public reports about the DGX Spark)."""

Z95 = 1.96
BOOT_SD = math.log1p(BOOTS_DIFFER_RATIO) / (Z95 * math.sqrt(2))
"""So that the difference of two boots is within that width 19 times of 20."""

RUN_SD = 0.01
FIRST_TOKEN_SD = 0.10
"""Of a short prompt's first token, where scheduling weighs more than computing."""

FELT_S = 0.05
"""A first token that comes later by less is no regression: nobody feels it, and of a few
milliseconds half is chance."""

BOOT_WEIGHT = 8.0
"""Boots may be of two kinds, fast and slow: a few that are alike say little about the next."""

RUN_WEIGHT = 2.0


class Verdict(StrEnum):
    """What a comparison says of the second benchmark."""

    FASTER = "faster"
    SLOWER = "slower"
    SAME = "no difference shown"


@dataclass(frozen=True, slots=True)
class Ratio:
    """Second by first: above 1 the second is faster, also where seconds are compared."""

    middle: float
    low: float
    high: float

    @property
    def verdict(self) -> Verdict:
        """The interval decides, not the middle."""
        if self.low > 1:
            return Verdict.FASTER
        return Verdict.SLOWER if self.high < 1 else Verdict.SAME

    def __str__(self) -> str:
        return f"{self.middle:.2f}\N{MULTIPLICATION SIGN}, {self.low:.2f} to {self.high:.2f}"


@dataclass(frozen=True, slots=True)
class Row:
    """One text, compared.

    Attributes:
        before_tps: Tokens a second of one request, or of all together where there are several;
            the mean of all boots that went into it.
        speed: The second by the first.
        first_token: Time to it, first by second; None where it was not measured.
        waits_longer: Users feel that the first token comes later, and it is no chance.
    """

    text: str
    concurrency: int
    before_tps: float
    after_tps: float
    speed: Ratio
    first_token: Ratio | None
    waits_longer: bool = False

    @property
    def verdict(self) -> Verdict:
        """Slower by its speed, or by what its users wait for."""
        return Verdict.SLOWER if self.waits_longer else self.speed.verdict


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two benchmarks, compared.

    Attributes:
        boots: How many boots of each configuration went into it; of one configuration those that
            the second is judged by, and the second.
        assumed: How far boots may differ is an assumption: no more than one is known.
        changed: What is different between the two: name, before, after.
        remarks: What a reader must know before believing it.
    """

    before: Benchmark
    after: Benchmark
    rows: tuple[Row, ...]
    boots: tuple[int, int]
    boot_spread_ratio: float
    assumed: bool
    changed: tuple[tuple[str, str, str], ...]
    remarks: tuple[str, ...]

    @property
    def verdict(self) -> Verdict:
        """Slower in anything is slower."""
        found = {row.verdict for row in self.rows}
        if Verdict.SLOWER in found:
            return Verdict.SLOWER
        return Verdict.FASTER if Verdict.FASTER in found else Verdict.SAME

    @property
    def speed_ratio(self) -> float | None:
        """The geometric mean of all texts' speeds; None without a text in common."""
        ratios = [math.log(row.speed.middle) for row in self.rows]
        return math.exp(statistics.mean(ratios)) if ratios else None


def compare(before: Benchmark, after: Benchmark, known: Iterable[Benchmark] = ()) -> Comparison:
    """Compare two benchmarks.

    Args:
        known: All others of these engines: other boots of the same configurations tell how far
            boots differ. Where the two are of different configurations, every boot of each counts.
    """
    everything = {one.id: one for one in (*known, before, after)}.values()
    of_before = _same(before, everything)
    of_after = _same(after, everything)
    if before.conditions.configuration == after.conditions.configuration:
        # The question is whether this boot is an ordinary one: it must not say so itself.
        others = [one for one in of_before if one.boot_name != after.boot_name]
        of_before, of_after, pool = [before], [after], [others]
    else:
        pool = [of_before, of_after]
    keys = [key for key in before.figures if key in after.figures]
    boots = (max(1, _boots(pool[0])), _boots(of_after))
    rows, spreads = [], []
    most = max(map(_boots, pool))
    for key in keys:
        sd = _boot_sd(key, pool)
        spreads.append(sd)
        rows.append(_row(key, of_before, of_after, before, after, sd))
    sd = statistics.mean(spreads) if spreads else BOOT_SD
    return Comparison(
        before=before,
        after=after,
        rows=tuple(rows),
        boots=boots,
        boot_spread_ratio=math.expm1(Z95 * math.sqrt(2) * sd),
        assumed=most < 2,
        changed=tuple(_changed(before, after)),
        remarks=tuple(_remarks(before, after)),
    )


def _same(one: Benchmark, everything: Iterable[Benchmark]) -> list[Benchmark]:
    """List the benchmarks of one configuration, measured in the same way on the same engine."""
    return [
        other
        for other in everything
        if other.id == one.id
        or (
            other.conditions.configuration == one.conditions.configuration
            and other.engine == one.engine
            and other.method.like(one.method)
            and other.own
        )
    ]


def _boots(group: Sequence[Benchmark]) -> int:
    return len({one.boot_name for one in group})


def _boot_medians(key: Key, group: Sequence[Benchmark]) -> list[float]:
    """Give the logarithm of each boot's speed."""
    by_boot: dict[str, list[float]] = {}
    for one in group:
        figures = one.figures.get(key)
        if figures is not None:
            by_boot.setdefault(one.boot_name, []).append(_speed(figures, key))
    return [statistics.mean(map(math.log, speeds)) for speeds in by_boot.values()]


def _boot_sd(key: Key, pool: Sequence[Sequence[Benchmark]]) -> float:
    """Say how far boots of one configuration differ: measured, as far as several are known."""
    groups = [_boot_medians(key, group) for group in pool]
    return _spread(groups, BOOT_SD, BOOT_WEIGHT)


def _spread(groups: Sequence[Sequence[float]], assumed: float, weight: float) -> float:
    squares, freedom = weight * assumed**2, weight
    for group in groups:
        if len(group) > 1:
            squares += statistics.variance(group) * (len(group) - 1)
            freedom += len(group) - 1
    return math.sqrt(squares / freedom)


def _row(
    key: Key,
    of_before: Sequence[Benchmark],
    of_after: Sequence[Benchmark],
    before: Benchmark,
    after: Benchmark,
    boot_sd: float,
) -> Row:
    sides = [_boot_medians(key, group) for group in (of_before, of_after)]
    middle = statistics.mean(sides[1]) - statistics.mean(sides[0])
    boots = [len(side) for side in sides]
    runs = [[math.log(run) for run in _speeds(one.figures[key], key)] for one in (before, after)]
    first, second = before.figures[key], after.figures[key]
    # Of these two alone: how first tokens differ from boot to boot is not known.
    first_token = _first_tokens(first, second, (1, 1), boot_sd)
    later_s = (second.ttft_s or 0.0) - (first.ttft_s or 0.0)
    later = first_token is not None and first_token.verdict is Verdict.SLOWER
    return Row(
        text=key[0],
        concurrency=key[1],
        before_tps=math.exp(statistics.mean(sides[0])),
        after_tps=math.exp(statistics.mean(sides[1])),
        speed=_ratio(middle, boots, boot_sd, runs, RUN_SD),
        first_token=first_token,
        waits_longer=later and later_s >= FELT_S,
    )


def _first_tokens(
    before: Figures, after: Figures, boots: Sequence[int], boot_sd: float
) -> Ratio | None:
    times = [[math.log(run.ttft_s) for run in side.runs if run.ttft_s] for side in (before, after)]
    if not all(times):
        return None
    middle = statistics.median(times[0]) - statistics.median(times[1])
    return _ratio(middle, boots, boot_sd, times, FIRST_TOKEN_SD)


def _ratio(
    middle: float,
    boots: Sequence[int],
    boot_sd: float,
    runs: Sequence[Sequence[float]],
    assumed_run_sd: float,
) -> Ratio:
    run_sd = _spread(runs, assumed_run_sd, RUN_WEIGHT)
    variance = sum(boot_sd**2 / many for many in boots)
    variance += sum(run_sd**2 / len(side) for side in runs)
    half = Z95 * math.sqrt(variance)
    return Ratio(math.exp(middle), math.exp(middle - half), math.exp(middle + half))


def _speed(figures: Figures, key: Key) -> float:
    several = key[1] > 1 and figures.total_tps is not None
    return figures.total_tps if several and figures.total_tps else figures.decode_tps


def _speeds(figures: Figures, key: Key) -> list[float]:
    several = key[1] > 1 and figures.total_tps is not None
    found = [run.total_tps if several else run.decode_tps for run in figures.runs]
    return [speed for speed in found if speed]


_SHOWN = (
    "model",
    "version",
    "image",
    "image_digest",
    "quantization",
    "moe_backend",
    "attention_backend",
    "weights_gib",
    "kv_cache_tokens",
    "max_model_len",
    "driver",
)


def _changed(before: Benchmark, after: Benchmark) -> Iterable[tuple[str, str, str]]:
    for name in _SHOWN:
        was, is_ = getattr(before.conditions, name), getattr(after.conditions, name)
        if was != is_ and not (was is None and is_ is None):
            yield name.replace("_", " "), _written(was), _written(is_)
    ours, theirs = before.conditions.arguments, after.conditions.arguments
    if ours is None or theirs is None:
        return
    for name in sorted({*ours, *theirs}):
        if ours.get(name) != theirs.get(name):
            yield (
                f"--{name.replace('_', '-')}",
                _written(ours.get(name)),
                _written(theirs.get(name)),
            )


def _written(value: object) -> str:
    if value is None:
        return "not known"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _remarks(before: Benchmark, after: Benchmark) -> Iterable[str]:
    for one in (before, after):
        doubted = Counter((run.text, run.doubts[0]) for run in one.runs if run.doubts)
        for (text, doubt), many in doubted.items():
            runs = "a run is" if many == 1 else f"{many} runs are"
            yield f"{one.id}: {runs} not counted, of {text}: {doubt}"
    missing = sorted({text for text, _ in before.figures} ^ {text for text, _ in after.figures})
    if missing:
        yield f"only one of the two has figures of: {', '.join(missing)}"
    if not before.method.like(after.method):
        yield "they were not measured in the same way: another length of the replies"
    if {before.taken_by, after.taken_by} & {"llama-benchy"} and before.taken_by != after.taken_by:
        yield "one of them is llama-benchy's, which has other texts and counts tokens otherwise"
