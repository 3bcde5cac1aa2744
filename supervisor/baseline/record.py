"""What is kept of a benchmark: every run, what it ran on, and in which boot.

The JSON of these models is what ``bench run --output`` writes and what the store keeps.
"""

import hashlib
import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

SCHEMA = "understudy/benchmark/1"


FASTEST_TPS = 1e7
Speed = Annotated[float, Field(ge=1e-3, le=FASTEST_TPS)]
"""Tokens a second; beyond that nobody has measured, and a ratio would have no bounds."""

Seconds = Annotated[float, Field(ge=0, le=1e7)]


class _Record(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="ignore", populate_by_name=True, allow_inf_nan=False
    )


class EngineFigures(_Record):
    """What the engine's own counters say of one run, alone; None for what it does not publish.

    Attributes:
        tokens: That it generated, for whomever.
        prompt_tokens: That it took in, likewise.
        requests: That it ended.
        decode_tps: Of one request: tokens after the first, by the time from first to last.
        ttft_s: From the arrival at its server to the first token, on average.
        queue_s: How long a request waited in its queue, on average.
        accepted_ratio: Of guessed tokens, those that were right; None without speculation.
    """

    tokens: int | None = None
    prompt_tokens: int | None = None
    requests: int | None = None
    decode_tps: float | None = None
    ttft_s: float | None = None
    queue_s: float | None = None
    accepted_ratio: float | None = None
    preemptions: int | None = None


class Run(_Record):
    """One text, once: one request, or several at the same time.

    Attributes:
        tokens: Generated in all, by the engine's usage; None if it sent none.
        decode_tps: Tokens a second of one request, (N - 1) / (last - first); the median where
            there are several.
        total_tps: All tokens by the whole time of all requests: what the engine yields.
        ttft_s: To the first chunk with text; the median.
        itl_s: Between two tokens on average; the median.
        gap_p99_s: Between two chunks, which is what a reader feels.
        e2e_s: From the request to the end of its reply; the median.
        chunks: With text; one may carry several tokens.
        doubts: Why it is not counted; empty if it is.
    """

    text: str = Field(max_length=200)
    concurrency: int = Field(1, ge=1)
    tokens: int | None = None
    prompt_tokens: int | None = None
    decode_tps: Speed | None = None
    total_tps: Speed | None = None
    ttft_s: Seconds | None = None
    itl_s: Seconds | None = None
    gap_p99_s: Seconds | None = None
    e2e_s: Seconds | None = None
    chunks: int = 0
    engine: EngineFigures = EngineFigures()
    doubts: tuple[str, ...] = ()

    @property
    def counts(self) -> bool:
        """It may be trusted."""
        return not self.doubts and self.decode_tps is not None


class Conditions(_Record):
    """What a benchmark ran on, as far as it can be known. None means that nothing tells.

    Attributes:
        arguments: What the engine was started with, as its log has them; without secrets.
        arguments_hash: Of the container's command, where no log tells the arguments.
        driver: Of the GPU, as this machine's kernel names it.
    """

    model: str | None = None
    served_name: str | None = None
    version: str | None = None
    fingerprint: str | None = None
    image: str | None = None
    image_digest: str | None = None
    arguments: Mapping[str, Any] | None = None
    arguments_hash: str | None = None
    quantization: str | None = None
    moe_backend: str | None = None
    attention_backend: str | None = None
    weights_gib: float | None = None
    kv_cache_tokens: int | None = None
    max_model_len: int | None = None
    driver: str | None = None

    @property
    def configuration(self) -> str:
        """Name what was chosen, in short: what two boots of one configuration share.

        What an engine finds out at each start (memory, KV tokens, kernels) is no part of it.
        """
        chosen = (
            self.model,
            self.version,
            self.image_digest,
            self.arguments,
            None if self.arguments is not None else self.arguments_hash,
            self.quantization,
            self.max_model_len,
            self.driver,
        )
        written = json.dumps(chosen, sort_keys=True, default=str)
        return hashlib.sha256(written.encode()).hexdigest()[:12]


class Boot(_Record):
    """One start of the engine: the same configuration is up to 15 % faster in another one.

    Attributes:
        told_by: Docker's ``StartedAt``, or the process' own metric.
    """

    started_at: AwareDatetime
    told_by: Literal["container", "process"]


class Method(_Record):
    """How it was measured; two benchmarks of different methods are not compared silently."""

    max_tokens: int = 512
    warm_up: int = 1
    runs: int = 3
    ignore_eos: bool = False

    def like(self, other: "Method") -> bool:
        """Tell whether figures can be compared: how often does not matter, how long does."""
        return (self.max_tokens, self.ignore_eos) == (other.max_tokens, other.ignore_eos)


@dataclass(frozen=True, slots=True)
class Figures:
    """The trusted runs of one text, summed up; *spread_ratio* is (max - min) / median."""

    runs: tuple[Run, ...]
    decode_tps: float
    spread_ratio: float
    ttft_s: float | None
    itl_s: float | None
    e2e_s: float | None
    total_tps: float | None
    engine_tps: float | None


Key = tuple[str, int]
"""A text, and how many requests at once."""


TakenBy = Literal["command", "daemon", "import", "llama-benchy"]
MOST_RUNS = 400
MOST_NOTE = 500


class Benchmark(_Record):
    """Everything that is kept.

    Attributes:
        id: Sorts by time.
        engine: The model group that it serves, or its address.
        taken_by: A person's command, the daemon; or a file that was read, of another machine or of
            another tool: those are compared and never become a baseline.
        note: A person's, such as "before the upgrade".
    """

    schema_: str = Field(SCHEMA, alias="schema")
    id: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")
    engine: str = Field(min_length=1, max_length=500)
    url: str = Field("", max_length=2000)
    taken_at: AwareDatetime
    took_s: Seconds = 0.0
    taken_by: TakenBy = "command"
    note: str = Field("", max_length=MOST_NOTE)
    boot: Boot | None = None
    conditions: Conditions = Conditions()
    method: Method = Method()
    runs: tuple[Run, ...] = Field((), max_length=MOST_RUNS)

    @property
    def figures(self) -> Mapping[Key, Figures]:
        """Sum up the runs that may be trusted; a text without one is not there."""
        kept: dict[Key, list[Run]] = {}
        for run in self.runs:
            if run.counts:
                kept.setdefault((run.text, run.concurrency), []).append(run)
        return {key: _figures(runs) for key, runs in kept.items()}

    @property
    def decode_tps(self) -> float | None:
        """The speed where there is room for one: of a single stream of the first text."""
        single = [figures for (_, many), figures in self.figures.items() if many == 1]
        return next((one.decode_tps for one in single or self.figures.values()), None)

    @property
    def own(self) -> bool:
        """It was taken here, and not read from a file."""
        return self.taken_by in ("command", "daemon")

    @property
    def boot_name(self) -> str:
        """Name the boot; those of which nothing is known are taken for one."""
        return self.boot.started_at.isoformat() if self.boot is not None else "unknown"


def _figures(runs: Sequence[Run]) -> Figures:
    speeds = [run.decode_tps for run in runs if run.decode_tps is not None]
    middle = statistics.median(speeds)
    return Figures(
        runs=tuple(runs),
        decode_tps=middle,
        spread_ratio=(max(speeds) - min(speeds)) / middle,
        ttft_s=_median([run.ttft_s for run in runs]),
        itl_s=_median([run.itl_s for run in runs]),
        e2e_s=_median([run.e2e_s for run in runs]),
        total_tps=_median([run.total_tps for run in runs]),
        engine_tps=_median([run.engine.decode_tps for run in runs]),
    )


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None
