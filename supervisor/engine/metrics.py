"""What an engine's metrics say of it at one moment. Pure.

Source: metric names of vLLM 0.32.0, run.
"""

from dataclasses import dataclass

from chaos.exposition import samples

HEARTBEAT = "vllm:iteration_tokens_total_count"
"""One for each step of the engine, whoever asked."""

_SUMMED = {
    HEARTBEAT: "steps",
    "vllm:num_requests_running": "running",
    "vllm:num_requests_waiting": "waiting",
    "vllm:request_success_total": "served",
}
_GREATEST = {"vllm:kv_cache_usage_perc": "kv_cache_usage_ratio"}
_LEAST = {"process_start_time_seconds": "started_at_s"}


@dataclass(frozen=True, slots=True)
class Vitals:
    """None for what is not published.

    Attributes:
        steps: Steps of the engine since it started: the heartbeat.
        served: Requests that it has ended since it started.
        started_at_s: When the process that answers was started, in seconds since 1970.
    """

    steps: float | None = None
    running: float | None = None
    waiting: float | None = None
    kv_cache_usage_ratio: float | None = None
    served: float | None = None
    started_at_s: float | None = None

    @property
    def busy(self) -> bool | None:
        """Users wait in its queue; None if it does not say."""
        return None if self.waiting is None else self.waiting > 0

    @property
    def readable(self) -> bool:
        """The heartbeat is there, under the name that is known."""
        return self.steps is not None


def read_vitals(text: str) -> Vitals:
    """Read a page of metrics; several engines behind one server are added up."""
    found: dict[str, float] = {}
    for sample in samples(text):
        name, value = sample.name, sample.value
        if name in _SUMMED:
            found[_SUMMED[name]] = found.get(_SUMMED[name], 0.0) + value
        elif name in _GREATEST:
            found[_GREATEST[name]] = max(found.get(_GREATEST[name], value), value)
        elif name in _LEAST:
            found[_LEAST[name]] = min(found.get(_LEAST[name], value), value)
    return Vitals(**found)
