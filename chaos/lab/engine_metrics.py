"""The simulated engine's counters, and how vLLM publishes them.

Source: metric names, labels and which are there when: vLLM 0.32.0. The tool parser's series
exist exactly when a parser is given, which is how flags can be told from outside.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from chaos.lab.engine_flags import EngineFlags

Mode = Literal["streaming", "non_streaming"]

FINISHED_REASONS = ("stop", "length", "abort", "error", "repetition")
LATENCIES = (
    "time_to_first_token_seconds",
    "inter_token_latency_seconds",
    "request_time_per_output_token_seconds",
    "e2e_request_latency_seconds",
    "request_queue_time_seconds",
    "request_prefill_time_seconds",
    "request_decode_time_seconds",
    "request_inference_time_seconds",
)
TOOL_PARSER_SERIES = tuple(
    (mode, outcome)
    for mode in ("streaming", "non_streaming")
    for outcome in ("tool_call", "no_tool_call")
)


@dataclass(slots=True)
class EngineMetrics:
    """What one start of the engine has counted.

    Attributes:
        running: Requests that the engine works on.
        load: Requests that the server holds, also those that never reached a hung engine.
        http_requests: By handler, method and class of status.
    """

    started_at_s: float
    running: int = 0
    load: int = 0
    iterations_total: int = 0
    prompt_tokens_total: int = 0
    generation_tokens_total: int = 0
    requests: Counter[str] = field(default_factory=Counter)
    tool_parser: Counter[tuple[str, str]] = field(default_factory=Counter)
    http_requests: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    busy_s: float = 0.0
    first_s: float = 0.0
    decode_s: float = 0.0

    def count_answer(
        self, reason: str, *, prompt: int, generated: int, took_s: float, first_s: float = 0.0
    ) -> None:
        """Count a request that ended for *reason* after *generated* tokens, one step each."""
        self.first_s += first_s
        self.decode_s += took_s - first_s
        self.requests[reason] += 1
        self.prompt_tokens_total += prompt
        self.generation_tokens_total += generated
        self.iterations_total += generated
        self.busy_s += took_s

    def count_parsing(self, mode: Mode, *, tool_call: bool, times: int = 1) -> None:
        """Count runs of the tool parser: one for each choice, or for each streamed delta."""
        self.tool_parser[mode, "tool_call" if tool_call else "no_tool_call"] += times

    def count_http(self, handler: str, method: str, status: int) -> None:
        """Count a reply of the server."""
        self.http_requests[handler, method, f"{status // 100}xx"] += 1


def exposition(metrics: EngineMetrics, flags: EngineFlags) -> str:
    """Write *metrics* in Prometheus' text format."""
    model = {"engine": "0", "model_name": flags.served_model_names[0]}
    answered = sum(metrics.requests.values())
    took_s = dict.fromkeys(LATENCIES, metrics.busy_s) | {
        "time_to_first_token_seconds": metrics.first_s,
        "request_decode_time_seconds": metrics.decode_s,
        "request_queue_time_seconds": 0.0,
    }
    lines = [
        *_gauge("vllm:num_requests_running", metrics.running, model),
        *_gauge("vllm:num_requests_waiting", 0, model),
        *_samples(
            "vllm:num_requests_waiting_by_reason",
            "gauge",
            [({**model, "reason": reason}, 0) for reason in ("capacity", "deferred")],
        ),
        *_gauge("vllm:kv_cache_usage_perc", 0, model),
        *_samples(
            "vllm:engine_sleep_state",
            "gauge",
            [
                ({**model, "sleep_state": state}, int(state == "awake"))
                for state in ("awake", "weights_offloaded", "discard_all")
            ],
        ),
        *_counter("vllm:num_preemptions_total", 0, model),
        *_counter("vllm:prompt_tokens_total", metrics.prompt_tokens_total, model),
        *_counter("vllm:generation_tokens_total", metrics.generation_tokens_total, model),
        *_counter("vllm:prefix_cache_queries_total", metrics.prompt_tokens_total, model),
        *_counter("vllm:prefix_cache_hits_total", 0, model),
        *_samples(
            "vllm:request_success_total",
            "counter",
            [
                ({**model, "finished_reason": reason}, metrics.requests[reason])
                for reason in FINISHED_REASONS
            ],
        ),
        *_histogram(
            "vllm:iteration_tokens_total",
            model,
            count=metrics.iterations_total,
            total=metrics.prompt_tokens_total + metrics.generation_tokens_total,
        ),
        *(
            line
            for name in LATENCIES
            for line in _histogram(f"vllm:{name}", model, count=answered, total=took_s[name])
        ),
        *_histogram(
            "vllm:request_generation_tokens",
            model,
            count=answered,
            total=metrics.generation_tokens_total,
        ),
        *_samples(
            "http_requests_total",
            "counter",
            [
                ({"handler": handler, "method": method, "status": status}, times)
                for (handler, method, status), times in metrics.http_requests.items()
            ],
        ),
        *_gauge("process_start_time_seconds", metrics.started_at_s, {}),
    ]
    if flags.tool_call_parser is not None:
        lines += _samples(
            "vllm:tool_call_parser_invocations_total",
            "counter",
            [
                (
                    {
                        "mode": mode,
                        "model_name": flags.served_model_names[0],
                        "outcome": outcome,
                        "request_type": "chat_completion",
                    },
                    metrics.tool_parser[mode, outcome],
                )
                for mode, outcome in TOOL_PARSER_SERIES
            ],
        )
    return "\n".join(lines) + "\n"


def _gauge(name: str, value: float, labels: Mapping[str, str]) -> list[str]:
    return _samples(name, "gauge", [(labels, value)])


def _counter(name: str, value: float, labels: Mapping[str, str]) -> list[str]:
    return _samples(name, "counter", [(labels, value)])


def _histogram(name: str, labels: Mapping[str, str], *, count: int, total: float) -> list[str]:
    return [
        f"# TYPE {name} histogram",
        _sample(f"{name}_bucket", {**labels, "le": "+Inf"}, count),
        _sample(f"{name}_count", labels, count),
        _sample(f"{name}_sum", labels, total),
    ]


def _samples(name: str, kind: str, samples: Iterable[tuple[Mapping[str, str], float]]) -> list[str]:
    return [f"# TYPE {name} {kind}", *(_sample(name, labels, value) for labels, value in samples)]


def _sample(name: str, labels: Mapping[str, str], value: float) -> str:
    inside = ",".join(f'{key}="{of}"' for key, of in labels.items())
    return f"{name}{{{inside}}} {float(value)}" if inside else f"{name} {float(value)}"
