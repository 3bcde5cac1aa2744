"""An engine's vitals, from its page of metrics."""

from supervisor.engine.metrics import Vitals, read_vitals

PAGE = """\
# HELP vllm:num_requests_running Number of requests in model execution batches.
vllm:num_requests_running{engine="0",model_name="g"} 2.0
vllm:num_requests_running{engine="1",model_name="g"} 1.0
vllm:num_requests_waiting{engine="0",model_name="g"} 0.0
vllm:kv_cache_usage_perc{engine="0",model_name="g"} 0.25
vllm:kv_cache_usage_perc{engine="1",model_name="g"} 0.75
vllm:iteration_tokens_total_bucket{engine="0",le="1.0",model_name="g"} 5.0
vllm:iteration_tokens_total_count{engine="0",model_name="g"} 20.0
vllm:iteration_tokens_total_count{engine="1",model_name="g"} 22.0
process_start_time_seconds 1.7e+09
"""


def test_engines_behind_one_server_are_added_up():
    """Steps and requests are summed, the fullest cache counts."""
    assert read_vitals(PAGE) == Vitals(
        steps=42, running=3, waiting=0, kv_cache_usage_ratio=0.75, started_at_s=1.7e9
    )


def test_other_metrics_have_no_heartbeat():
    """A page without the known names is not readable, and no error."""
    assert not read_vitals("up 1\nvllm:steps_total 3\nnonsense\n").readable
    assert not read_vitals("vllm:iteration_tokens_total_count many\n").readable
    assert read_vitals("vllm:iteration_tokens_total_count 0\n").readable


def test_what_is_no_number_is_not_published():
    """NaN and infinity compare with nothing: they neither beat nor wait."""
    page = "vllm:iteration_tokens_total_count NaN\nvllm:num_requests_waiting +Inf\n"
    assert read_vitals(page) == Vitals()
