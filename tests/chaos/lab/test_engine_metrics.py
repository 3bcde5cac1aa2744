"""The engine's metrics have vLLM's names, and exist when vLLM's do."""

from dataclasses import replace

import pytest

from chaos.lab.engine_flags import EngineFlags
from chaos.lab.engine_metrics import EngineMetrics, exposition
from tests.fakes.metric_sums import sums

PARSER_SERIES = "vllm:tool_call_parser_invocations_total"
NAMES = (
    "vllm:iteration_tokens_total_count",
    "vllm:generation_tokens_total",
    "vllm:prompt_tokens_total",
    "vllm:num_requests_running",
    "vllm:num_requests_waiting",
    "vllm:num_requests_waiting_by_reason",
    "vllm:kv_cache_usage_perc",
    "vllm:num_preemptions_total",
    "vllm:request_success_total",
    "vllm:time_to_first_token_seconds_count",
    "vllm:e2e_request_latency_seconds_sum",
    "vllm:request_queue_time_seconds_bucket",
    "vllm:engine_sleep_state",
    "process_start_time_seconds",
)


@pytest.mark.parametrize("name", NAMES)
def test_the_names_that_matter_are_there_from_the_start(name: str):
    """A fresh engine already publishes every series that probes look for."""
    text = exposition(EngineMetrics(started_at_s=1.0), EngineFlags())
    assert any(line.startswith((f"{name}{{", f"{name} ")) for line in text.splitlines())


def test_the_parser_series_exists_exactly_with_a_parser():
    """The series tells from outside whether a parser was given, also without the other flag."""
    metrics, flags = EngineMetrics(started_at_s=1.0), EngineFlags()
    assert exposition(metrics, flags).count(f"{PARSER_SERIES}{{") == 4
    parser_only = replace(flags, enable_auto_tool_choice=False)
    assert f"{PARSER_SERIES}{{" in exposition(metrics, parser_only)
    none = replace(parser_only, tool_call_parser=None)
    assert PARSER_SERIES not in exposition(metrics, none)


def test_our_own_reader_reads_them():
    """What was counted is what our reader of real engines reads."""
    metrics = EngineMetrics(started_at_s=1.0, running=2)
    metrics.count_answer("stop", prompt=10, generated=5, took_s=0.5)
    metrics.count_answer("length", prompt=1, generated=7, took_s=0.5)
    metrics.count_parsing("streaming", tool_call=True, times=3)
    metrics.count_parsing("streaming", tool_call=False, times=4)

    counted = sums(exposition(metrics, EngineFlags()))
    assert counted["vllm:request_success_total"] == 2
    assert counted["vllm:generation_tokens_total"] == 12
    assert counted[f'{PARSER_SERIES}{{outcome="tool_call"}}'] == 3
    assert counted["vllm:num_requests_running"] == 2
    assert counted["vllm:num_requests_waiting"] == 0


def test_replies_are_counted_by_class_of_status():
    """Refusals are visible as 4xx of their handler."""
    metrics = EngineMetrics(started_at_s=1.0)
    metrics.count_http("/v1/chat/completions", "POST", 404)
    expected = 'http_requests_total{handler="/v1/chat/completions",method="POST",status="4xx"} 1.0'
    assert expected in exposition(metrics, EngineFlags()).splitlines()
