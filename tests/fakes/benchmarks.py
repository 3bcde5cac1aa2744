"""Benchmarks of an engine as if they had been taken at noon."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from supervisor.baseline.record import Benchmark, Boot, Conditions, EngineFigures, Run
from tests.fakes.manual_clock import NOON

HOUR = timedelta(hours=1)
TEXTS = ("prose", "code", "json")
BOOT = Boot(started_at=NOON - 3 * HOUR, told_by="container")
CONDITIONS = Conditions(
    model="/models/gemma",
    served_name="gemma-4",
    version="0.11.0",
    quantization="fp8",
    max_model_len=32768,
    arguments={"max_num_seqs": 4},
)


def boot(hours_ago: float) -> Boot:
    """Make a start of the engine before noon."""
    return Boot(started_at=NOON - hours_ago * HOUR, told_by="container")


def run(text: str = "prose", tps: float = 50.0, **changes: Any) -> Run:
    """Make one trusted run: 256 tokens, the first of them after 0.2 s."""
    values: dict[str, Any] = {
        "tokens": 256,
        "prompt_tokens": 20,
        "decode_tps": tps,
        "total_tps": tps,
        "ttft_s": 0.2,
        "itl_s": 1 / tps,
        "gap_p99_s": 1.2 / tps,
        "e2e_s": 0.2 + 255 / tps,
        "chunks": 256,
        "engine": EngineFigures(decode_tps=tps + 0.2, tokens=256, requests=1),
        **changes,
    }
    return Run(text=text, **values)


def runs(tps: float = 50.0, texts: Sequence[str] = TEXTS, **changes: Any) -> tuple[Run, ...]:
    """Make three trusted runs of each text, a percent apart, with *tps* in the middle."""
    return tuple(run(text, tps * by, **changes) for text in texts for by in (0.99, 1.0, 1.01))


def benchmark(**changes: Any) -> Benchmark:
    """Make a benchmark with three trusted runs of each text, at 50 tokens a second."""
    values: dict[str, Any] = {
        "id": "20260301-120000-aaaa",
        "engine": "gemma",
        "url": "http://spark:8000",
        "taken_at": NOON,
        "took_s": 90.0,
        "boot": BOOT,
        "conditions": CONDITIONS,
        "runs": runs(),
        **changes,
    }
    return Benchmark(**values)
