"""What an engine's own counters say of the time between two looks. Pure.

Source: metric names of vLLM 0.32.0; some were run, those of speculative decoding were read in its
source. An engine that publishes none of them says nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from chaos.exposition import samples
from supervisor.baseline.record import EngineFigures

_NAMES: Mapping[str, str] = {
    "vllm:generation_tokens_total": "tokens",
    "vllm:prompt_tokens_total": "prompt_tokens",
    "vllm:request_generation_tokens_sum": "ended_tokens",
    "vllm:request_success_total": "requests",
    "vllm:request_decode_time_seconds_sum": "decode_s",
    "vllm:request_decode_time_seconds_count": "decodes",
    "vllm:time_to_first_token_seconds_sum": "ttft_s",
    "vllm:time_to_first_token_seconds_count": "firsts",
    "vllm:request_queue_time_seconds_sum": "queue_s",
    "vllm:request_queue_time_seconds_count": "queued",
    "vllm:num_preemptions_total": "preemptions",
    "vllm:spec_decode_num_draft_tokens_total": "guessed",
    "vllm:spec_decode_num_accepted_tokens_total": "accepted",
    "vllm:num_requests_running": "running",
    "vllm:num_requests_waiting": "waiting",
}


@dataclass(frozen=True, slots=True)
class Counters:
    """One look; several engines behind one server are added up.

    Attributes:
        started_at_s: When the process was started, in seconds since 1970; None if unknown.
    """

    values: Mapping[str, float]
    started_at_s: float | None = None

    @property
    def readable(self) -> bool:
        """Tokens are counted, under the name that is known."""
        return "tokens" in self.values

    @property
    def others(self) -> int:
        """How many requests it works on, or has in its queue."""
        return int(self.values.get("running", 0) + self.values.get("waiting", 0))


def read_counters(page: str | None) -> Counters:
    """Read a page of metrics; None, or one of another engine, has nothing to say."""
    values: dict[str, float] = {}
    started_at_s = None
    for sample in samples(page or ""):
        name = _NAMES.get(sample.name)
        if name is not None:
            values[name] = values.get(name, 0.0) + sample.value
        elif sample.name == "process_start_time_seconds":
            started_at_s = min(started_at_s or sample.value, sample.value)
    return Counters(values, started_at_s)


def between(before: Counters, after: Counters) -> EngineFigures:
    """Say what the engine did from one look to the next."""
    if not (before.readable and after.readable):
        return EngineFigures()
    grew = {name: value - before.values.get(name, 0.0) for name, value in after.values.items()}
    ended, decode_s = grew.get("ended_tokens", 0.0), grew.get("decode_s", 0.0)
    decodes = grew.get("decodes", 0.0)
    return EngineFigures(
        tokens=round(grew["tokens"]),
        prompt_tokens=_whole(grew.get("prompt_tokens")),
        requests=_whole(grew.get("requests")),
        decode_tps=(ended - decodes) / decode_s if decode_s > 0 and ended > decodes else None,
        ttft_s=_mean(grew, "ttft_s", "firsts"),
        queue_s=_mean(grew, "queue_s", "queued"),
        accepted_ratio=_mean(grew, "accepted", "guessed"),
        preemptions=_whole(grew.get("preemptions")),
    )


def _mean(grew: Mapping[str, float], total: str, count: str) -> float | None:
    many = grew.get(count, 0.0)
    return grew.get(total, 0.0) / many if many > 0 else None


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)
