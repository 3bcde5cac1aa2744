"""Plot speeds in the terminal: how they went, and two benchmarks side by side."""

from collections.abc import Sequence
from typing import Any

from supervisor.baseline.compare import Comparison
from supervisor.baseline.record import Benchmark

HEIGHT = 15
LEAST_WIDTH = 40


def plot_history(
    engine: str,
    history: Sequence[Benchmark],
    baseline: Benchmark | None,
    *,
    width: int,
    colour: bool,
) -> str:
    """Plot the decode speed of one engine, one point for each benchmark; empty without any."""
    speeds = [one.decode_tps for one in history if one.decode_tps is not None]
    if not speeds:
        return ""
    plot = _begun(width)
    numbers = list(range(1, len(speeds) + 1))
    plot.scatter(numbers, speeds, marker="o")
    if len(speeds) > 1:
        plot.plot(numbers, speeds)
    wanted = baseline.decode_tps if baseline is not None else None
    if wanted is not None:
        plot.plot([1, max(2, len(speeds))], [wanted, wanted], label="baseline")
    plot.ylim(0, 1.15 * max([*speeds, wanted or 0.0]))
    plot.xticks(numbers if len(numbers) <= 20 else [1, len(numbers)])
    plot.title(f"{engine}: tokens a second")
    return _built(plot, colour=colour)


def plot_comparison(known: Comparison, *, width: int, colour: bool) -> str:
    """Plot the speeds of two benchmarks, text by text; empty without one in common."""
    if not known.rows:
        return ""
    plot = _begun(width)
    names: list[str] = []
    speeds: list[float] = []
    for row in known.rows:
        many = "" if row.concurrency == 1 else f" x{row.concurrency}"
        names += [f"{row.text}{many} A", f"{row.text}{many} B"]
        speeds += [row.before_tps, row.after_tps]
    plot.simple_bar(names, [round(speed, 1) for speed in speeds], width=max(LEAST_WIDTH, width))
    return _built(plot, colour=colour)


def _begun(width: int) -> Any:
    import plotext  # noqa: PLC0415 -- only a few commands draw

    plotext.clear_figure()
    plotext.theme("clear")
    plotext.limit_size(False, False)
    plotext.plotsize(max(LEAST_WIDTH, width), HEIGHT)
    return plotext


def _built(plot: Any, *, colour: bool) -> str:
    drawn = str(plot.build())
    return drawn if colour else str(plot.uncolorize(drawn))
