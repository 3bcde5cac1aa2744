"""Read and write the JSON of llama-benchy, in which owners of a Spark share their figures.

Source: llama-benchy 0.4.0, its models ``BenchmarkReport`` and ``BenchmarkRun``: throughput in
tokens a second, times in milliseconds, one value for each run (for each request and run where
several were sent at once).

Shape:
    {"version": str, "timestamp": str, "latency_mode": str, "latency_ms": float, "model": str,
     "prefix_caching_enabled": bool, "max_concurrency": int,
     "benchmarks": [{"concurrency": int, "context_size": int, "prompt_size": int,
                     "response_size": int, "is_context_prefill_phase": bool,
                     "tg_throughput": {"mean": float, "std": float, "values": [float]}, ...}]}
"""

import hashlib
import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from chaos.errors import UsageError
from supervisor.baseline.record import Benchmark, Conditions, Figures, Method, Run

OURS = "understudy"
"""Our own record, whole, beside what llama-benchy knows: reading it back loses nothing."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Metric(_Model):
    values: tuple[float, ...] = ()


class _Row(_Model):
    concurrency: int
    context_size: int = 0
    prompt_size: int
    response_size: int
    is_context_prefill_phase: bool = False
    tg_throughput: _Metric | None = None
    tg_req_throughput: _Metric | None = None
    e2e_ttft: _Metric | None = None


class _Report(_Model):
    version: str = ""
    timestamp: str = ""
    model: str
    benchmarks: tuple[_Row, ...]


def is_theirs(content: Any) -> bool:
    """Tell whether *content* looks like llama-benchy's."""
    return isinstance(content, Mapping) and "benchmarks" in content and "model" in content


def read(content: Any, where: str) -> Benchmark:
    """Take llama-benchy's report for a benchmark.

    Args:
        where: Its file, for messages and as its id.

    Raises:
        UsageError: It is none, or has no figure of generation.
    """
    try:
        if isinstance(content, Mapping) and content.get(OURS) is not None:
            return Benchmark.model_validate(content[OURS])
        return _taken(_Report.model_validate(content), where)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "all of it"
        raise UsageError(
            f"{where} is no report of llama-benchy's: {place}: {first['msg']}",
            remedy="Write one with: llama-benchy --format json --save-result FILE",
        ) from None


def _taken(report: _Report, where: str) -> Benchmark:
    runs = [run for row in report.benchmarks for run in _runs(row)]
    if not runs:
        raise UsageError(
            f"{where} has no figure of generation",
            remedy="Let llama-benchy generate tokens: --tg 128",
        )
    taken_at = _moment(report.timestamp)
    named = hashlib.sha256(repr(report).encode()).hexdigest()[:4]
    return Benchmark(
        id=f"{taken_at:%Y%m%d-%H%M%S}-{named}",
        engine=report.model,
        taken_at=taken_at,
        taken_by="llama-benchy",
        note=f"llama-benchy {report.version}".strip(),
        conditions=Conditions(model=report.model, served_name=report.model),
        method=Method(max_tokens=report.benchmarks[0].response_size, warm_up=0, runs=0),
        runs=tuple(runs),
    )


def _runs(row: _Row) -> list[Run]:
    total = row.tg_throughput
    if row.is_context_prefill_phase or total is None:
        return []
    each = row.tg_req_throughput or total
    text = f"pp{row.prompt_size} tg{row.response_size}"
    if row.context_size:
        text += f" at {row.context_size}"
    return [
        Run(
            text=text,
            concurrency=row.concurrency,
            tokens=row.response_size * row.concurrency,
            prompt_tokens=row.prompt_size + row.context_size,
            decode_tps=speed,
            total_tps=total.values[number] or None,
            ttft_s=_ms(_of_run(row.e2e_ttft.values, number, many) if row.e2e_ttft else None),
            itl_s=1 / speed,
        )
        for many in (len(total.values),)
        for number in range(many)
        if (speed := _of_run(each.values, number, many))
    ]


def _of_run(values: Sequence[float], number: int, runs: int) -> float | None:
    """Give the median of the requests that were sent in the *number*-th of so many runs."""
    begin, end = number * len(values) // runs, (number + 1) * len(values) // runs
    return statistics.median(values[begin:end]) if end > begin else None


def _ms(value: float | None) -> float | None:
    return None if value is None else value / 1000


def _moment(written: str) -> datetime:
    try:
        when = datetime.fromisoformat(written)
    except ValueError:
        return datetime.fromtimestamp(0, UTC)
    return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)


def write(benchmark: Benchmark, version: str) -> dict[str, Any]:
    """Write the trusted runs of *benchmark* as llama-benchy would, for its tools.

    Args:
        version: Understudy's.
    """
    rows = [_row(key[1], figures) for key, figures in benchmark.figures.items()]
    return {
        "version": f"understudy {version}",
        "timestamp": f"{benchmark.taken_at:%Y-%m-%d %H:%M:%SZ}",
        "latency_mode": "none",
        "latency_ms": 0.0,
        "model": benchmark.conditions.served_name or benchmark.engine,
        "prefix_caching_enabled": False,
        "max_concurrency": max((row["concurrency"] for row in rows), default=1),
        "benchmarks": rows,
        OURS: benchmark.model_dump(mode="json", by_alias=True),
    }


def _row(concurrency: int, figures: Figures) -> dict[str, Any]:
    runs = figures.runs
    prompt = runs[0].prompt_tokens
    tokens = [run.tokens or 0 for run in runs]
    single = concurrency == 1
    each = [run.decode_tps for run in runs]
    first_ms = [1000 * run.ttft_s for run in runs if run.ttft_s is not None]
    prefill = [prompt / run.ttft_s for run in runs if run.ttft_s and prompt]
    return {
        "concurrency": concurrency,
        "context_size": 0,
        "prompt_size": prompt or 0,
        "response_size": round(statistics.median(tokens) / concurrency),
        "is_context_prefill_phase": False,
        # Of several at once only each one's is known here.
        "pp_throughput": _metric(prefill) if single else None,
        "pp_req_throughput": _metric(prefill),
        "tg_throughput": _metric(each if single else [run.total_tps for run in runs]),
        "tg_req_throughput": _metric(each),
        "ttfr": _metric(first_ms),
        "est_ppt": _metric(first_ms),
        "e2e_ttft": _metric(first_ms),
    }


def _metric(values: Sequence[float | None]) -> dict[str, Any] | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    return {"mean": statistics.mean(known), "std": statistics.pstdev(known), "values": known}
