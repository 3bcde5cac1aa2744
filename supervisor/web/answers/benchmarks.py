"""How fast the engines are, and what they were measured to be."""

from datetime import datetime

from pydantic import AwareDatetime, Field

from supervisor.baseline.compare import Verdict
from supervisor.baseline.record import (
    MOST_RUNS,
    Benchmark,
    Boot,
    Conditions,
    Method,
    Run,
    Seconds,
    TakenBy,
)
from supervisor.baseline.standing import Speed
from supervisor.status import Status
from supervisor.web.answers.answer import Answer


class BenchmarkAnswer(Answer):
    """One benchmark, whole; times are seconds, speeds tokens a second."""

    id: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")
    engine: str = Field(min_length=1, max_length=500)
    url: str = Field("", max_length=2000)
    taken_at: AwareDatetime
    took_s: Seconds = 0.0
    taken_by: TakenBy = "command"
    note: str = Field("", max_length=500)
    boot: Boot | None = None
    conditions: Conditions = Conditions()
    method: Method = Method()
    runs: tuple[Run, ...] = Field((), max_length=MOST_RUNS)

    @classmethod
    def of(cls, one: Benchmark) -> "BenchmarkAnswer":
        """Show *one*."""
        return cls(**{name: getattr(one, name) for name in cls.model_fields})

    @property
    def record(self) -> Benchmark:
        """Take it for what it shows."""
        return Benchmark(**{name: getattr(self, name) for name in type(self).model_fields})


class BenchmarkSent(BenchmarkAnswer):
    """A benchmark that a command has taken."""


class EngineSpeedAnswer(Answer):
    """How fast one engine is now against its baseline.

    *baseline* and *latest* are ids of *benchmarks*, which begin with the oldest; *ratio* is the
    latest by the baseline, and *verdict* says whether that can be told from chance.
    """

    engine: str
    tokens_per_s: float | None
    ratio: float | None
    verdict: Verdict | None
    baseline: str | None
    latest: str | None
    latest_at: datetime | None
    benchmarks: tuple[BenchmarkAnswer, ...]

    @classmethod
    def of(cls, engine: str, speed: Speed) -> "EngineSpeedAnswer":
        """Show *speed*."""
        latest = speed.latest
        return cls(
            engine=engine,
            tokens_per_s=latest.decode_tps if latest is not None else None,
            ratio=speed.ratio,
            verdict=speed.comparison.verdict if speed.comparison is not None else None,
            baseline=speed.baseline.id if speed.baseline is not None else None,
            latest=latest.id if latest is not None else None,
            latest_at=latest.taken_at if latest is not None else None,
            benchmarks=tuple(map(BenchmarkAnswer.of, speed.taken)),
        )


class BenchmarksAnswer(Answer):
    """Every engine that was ever measured."""

    engines: tuple[EngineSpeedAnswer, ...]

    @classmethod
    def of(cls, status: Status) -> "BenchmarksAnswer":
        """Show those of *status*."""
        return cls(
            engines=tuple(EngineSpeedAnswer.of(name, one) for name, one in status.speeds.items())
        )
