"""An engine's speed as a small picture: how it went, and the baseline as a line. Pure."""

from dataclasses import dataclass

from supervisor.age import ago
from supervisor.baseline.compare import Verdict
from supervisor.baseline.standing import Speed
from supervisor.status import Status

WIDTH, HEIGHT, EDGE = 160, 36, 4
MOST_POINTS = 30
ROOM_RATIO = 0.15
"""Above the fastest: the picture begins at zero, so that a difference looks as big as it is."""


@dataclass(frozen=True, slots=True)
class SpeedPlot:
    """One picture, in its own coordinates, and what it says in words.

    Attributes:
        points: For a polyline; one point alone is the last one.
        last: Where the newest is.
        baseline_y: Where the baseline is; None without one.
        text: The speed, for people.
        tone: ``good``, ``bad`` or ``none``.
        aloud: The whole picture, for who cannot see it.
    """

    points: str
    last: tuple[float, float]
    baseline_y: float | None
    text: str
    tone: str
    aloud: str
    width: int = WIDTH
    height: int = HEIGHT


def speed_plot(status: Status, engine: str) -> SpeedPlot | None:
    """Draw an engine's speed; None where it was never measured."""
    speed = status.speeds.get(engine, Speed())
    latest = speed.latest
    speeds = [one.decode_tps for one in speed.history if one.decode_tps is not None]
    speeds = speeds[-MOST_POINTS:]
    if latest is None or not speeds:
        return None
    wanted = speed.baseline.decode_tps if speed.baseline is not None else None
    top = max([*speeds, wanted or 0.0]) * (1 + ROOM_RATIO)
    step = (WIDTH - 2 * EDGE) / max(1, len(speeds) - 1)
    begin = WIDTH - EDGE - step * (len(speeds) - 1)
    spots = [(round(begin + step * n, 1), _y(one, top)) for n, one in enumerate(speeds)]
    verdict = speed.comparison.verdict if speed.comparison is not None else None
    words = {Verdict.SLOWER: "slower than its baseline", Verdict.FASTER: "faster than its baseline"}
    told = words.get(verdict, "as its baseline") if verdict is not None else "its baseline"
    ratio = "" if speed.ratio is None or speed.comparison is None else f" ({speed.ratio:.2f} of it)"
    text = f"{speeds[-1]:.1f} tokens a second, {told}{ratio}, {ago(latest.taken_at, status.at)}"
    return SpeedPlot(
        points=" ".join(f"{x},{y}" for x, y in spots),
        last=spots[-1],
        baseline_y=None if wanted is None else _y(wanted, top),
        text=text,
        tone=_TONES.get(verdict, "none") if verdict is not None else "none",
        aloud=_aloud(speeds, wanted),
    )


_TONES = {Verdict.SLOWER: "bad", Verdict.FASTER: "good"}


def _aloud(speeds: list[float], wanted: float | None) -> str:
    many = "1 benchmark" if len(speeds) == 1 else f"{len(speeds)} benchmarks"
    told = f"{many}, {min(speeds):.1f} to {max(speeds):.1f} tokens a second"
    return told if wanted is None else f"{told}; baseline {wanted:.1f}"


def _y(value: float, top: float) -> float:
    return round(HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * value / top, 1)
