"""How much fits into an engine: memory, tokens, requests at once. Pure.

vLLM's metrics and its ``/v1/models`` tell some of it, and what they tell is true of the engine
that runs now; the rest only the log of its start has. Every value says where it comes from.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from supervisor.engine.log import EngineLog

CACHE_CONFIG = "vllm:cache_config_info"
"""A gauge of 1 whose labels hold the settings; one row for each data-parallel engine."""

MOST_DIFFERENCE = 0.01
"""Up to here two numbers are the same: the log rounds."""

GIB = 1 << 30


class Source(StrEnum):
    """Where a value comes from, the most trustworthy first."""

    METRICS = "metrics"
    MODELS = "models"
    LOG = "log"


@dataclass(frozen=True, slots=True)
class Capacity:
    """What one engine can hold. None means that nothing tells.

    Attributes:
        weights_gib: Memory of the weights on one device.
        kv_cache_tokens: Tokens that fit into the KV cache of one engine (of the smallest, where
            several share the work).
        max_concurrency: Requests of full context length that fit into it at once.
        moe_backend: The kernels that compute the experts.
        quantization: How the weights are stored; None also where they are not quantised.
        sources: By field: where its value comes from.
        disagreements: Sentences about what is told differently elsewhere.
    """

    weights_gib: float | None = None
    kv_cache_tokens: int | None = None
    max_concurrency: float | None = None
    max_model_len: int | None = None
    moe_backend: str | None = None
    quantization: str | None = None
    kv_cache_memory_gib: float | None = None
    gpu_memory_utilization: float | None = None
    sources: Mapping[str, Source] = field(default_factory=dict)
    disagreements: tuple[str, ...] = ()


FIELDS = (
    "weights_gib",
    "kv_cache_tokens",
    "max_concurrency",
    "max_model_len",
    "moe_backend",
    "quantization",
    "kv_cache_memory_gib",
    "gpu_memory_utilization",
)


def from_metrics(text: str) -> Capacity:
    """Read ``vllm:cache_config_info``; its set of labels differs between versions."""
    rows = [
        dict(_LABEL.findall(line)) for line in text.splitlines() if line.startswith(CACHE_CONFIG)
    ]
    kv_bytes = _least(rows, "kv_cache_memory_bytes")
    tokens = _least(rows, "kv_cache_size_tokens")
    return _told(
        Source.METRICS,
        kv_cache_tokens=None if tokens is None else int(tokens),
        max_concurrency=_least(rows, "kv_cache_max_concurrency"),
        kv_cache_memory_gib=None if kv_bytes is None else kv_bytes / GIB,
        gpu_memory_utilization=_least(rows, "gpu_memory_utilization"),
    )


def from_models(lengths: Mapping[str, int]) -> Capacity:
    """Take the context length from what ``/v1/models`` says of each name."""
    return _told(Source.MODELS, max_model_len=min(lengths.values(), default=None))


def from_log(log: EngineLog) -> Capacity:
    """Take what the log of the last start says."""
    flags = log.flags or {}
    share = flags.get("gpu_memory_utilization")
    named = flags.get("quantization")
    return _told(
        Source.LOG,
        weights_gib=log.weights_gib,
        kv_cache_tokens=log.kv_cache_tokens,
        max_concurrency=log.max_concurrency,
        max_model_len=log.max_model_len,
        moe_backend=log.moe_backend,
        quantization=log.quantization or (named if isinstance(named, str) else None),
        kv_cache_memory_gib=log.kv_cache_gib,
        gpu_memory_utilization=share if isinstance(share, float) else None,
    )


def merge(*told: Capacity) -> Capacity:
    """Lay several over one another: the first that knows a value wins; disagreement is told."""
    merged = Capacity()
    sources: dict[str, Source] = {}
    disagreements: list[str] = []
    for one in told:
        disagreements += one.disagreements
        for name in FIELDS:
            value, held = getattr(one, name), getattr(merged, name)
            if value is None:
                continue
            if held is None:
                merged = replace(merged, **{name: value})
                sources[name] = one.sources[name]
            elif not _same(held, value):
                disagreements.append(
                    f"{WORDS[name]} is {shown(name, held)} by its {sources[name]} and "
                    f"{shown(name, value)} by its {one.sources[name]}"
                )
    return replace(
        merged, sources=MappingProxyType(sources), disagreements=tuple(dict.fromkeys(disagreements))
    )


WORDS: Mapping[str, str] = {
    "weights_gib": "memory of the weights",
    "kv_cache_tokens": "size of the KV cache",
    "max_concurrency": "concurrency at full context",
    "max_model_len": "context length",
    "moe_backend": "MoE backend",
    "quantization": "quantization",
    "kv_cache_memory_gib": "memory of the KV cache",
    "gpu_memory_utilization": "share of the device's memory",
}


def shown(name: str, value: Any) -> str:
    """Write the value of a field with its unit."""
    if name in ("kv_cache_tokens", "max_model_len"):
        return f"{value:,} tokens"
    if name in ("weights_gib", "kv_cache_memory_gib"):
        return f"{value:.2f} GiB"
    if name == "max_concurrency":
        return f"{value:.2f} requests"
    return f"{value:g}" if isinstance(value, float) else str(value)


def described(capacity: Capacity) -> str:
    """Write all that is known in one line, with where it comes from; empty if nothing is."""
    by_source: dict[Source, list[str]] = {}
    for name in FIELDS:
        value = getattr(capacity, name)
        if value is not None:
            told = f"{WORDS[name]} {shown(name, value)}"
            by_source.setdefault(capacity.sources[name], []).append(told)
    return "; ".join(
        f"{', '.join(by_source[source])} ({source})" for source in Source if source in by_source
    )


_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def _least(rows: list[dict[str, str]], label: str) -> float | None:
    """Read the smallest number among the rows; ``None`` and other words are no numbers."""
    found = []
    for row in rows:
        try:
            value = float(row.get(label, ""))
        except ValueError:
            continue
        if 0 <= value < float("inf"):
            found.append(value)
    return min(found, default=None)


def _told(source: Source, **values: Any) -> Capacity:
    known = {name: value for name, value in values.items() if value is not None}
    return Capacity(**known, sources=MappingProxyType(dict.fromkeys(known, source)))


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, int | float) and isinstance(other, int | float):
        return abs(one - other) <= MOST_DIFFERENCE * max(abs(one), abs(other))
    return bool(one == other)
