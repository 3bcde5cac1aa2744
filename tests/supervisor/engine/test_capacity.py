"""What fits into an engine comes from its metrics, its models and its log, in this order."""

from dataclasses import replace

from supervisor.engine.capacity import (
    Capacity,
    Source,
    described,
    from_log,
    from_metrics,
    from_models,
    merge,
)
from supervisor.engine.log import EngineLog

# vLLM 0.32.0, run on a CPU; shortened.
METRICS = (
    "# TYPE vllm:cache_config_info gauge\n"
    'vllm:cache_config_info{block_size="128",cache_hit_alignment_tokens="None",engine="0",'
    'gpu_memory_utilization="0.92",kv_cache_dtype_skip_layers="[]",'
    'kv_cache_max_concurrency="85.328125",kv_cache_memory_bytes="1073741824",'
    'kv_cache_size_tokens="699008",odd="a}\\"b",num_cpu_blocks="None"} 1.0\n'
)
LOG = EngineLog(
    flags={"gpu_memory_utilization": 0.92},
    weights_gib=15.73,
    kv_cache_tokens=699008,
    max_concurrency=85.33,
    max_model_len=8192,
    moe_backend="MARLIN",
)


def test_a_real_row_of_metrics_is_read():
    """Each value says that it comes from there."""
    seen = from_metrics(METRICS)
    assert (seen.kv_cache_tokens, seen.max_concurrency) == (699008, 85.328125)
    assert (seen.kv_cache_memory_gib, seen.gpu_memory_utilization) == (1.0, 0.92)
    assert set(seen.sources.values()) == {Source.METRICS}
    assert (seen.weights_gib, "weights_gib" in seen.sources) == (None, False)


def test_other_labels_and_words_in_place_of_numbers_are_unknown():
    """Versions differ in their labels, and None is written as a word."""
    for text in (
        "",
        "vllm:cache_config_info 1",
        'vllm:cache_config_info{kv_cache_size_tokens="None",gpu_memory_utilization="nan"} 1',
        'vllm:cache_config_info{kv_cache_size_tokens="-1",kv_cache_max_concurrency="inf"} 1',
        'vllm:cache_config_info{kv_cache_size_tokens="12',
    ):
        assert from_metrics(text) == Capacity()


def test_of_several_engines_the_smallest_counts():
    """A request lives in one of them."""
    rows = [f'vllm:cache_config_info{{kv_cache_size_tokens="{n}"}} 1' for n in (20, 10, 30)]
    assert from_metrics("\n".join(rows)).kv_cache_tokens == 10


def test_the_metrics_win_and_the_log_adds_what_only_it_has():
    """What the log rounds is no disagreement."""
    seen = merge(from_metrics(METRICS), from_models({"a": 8192, "b": 9000}), from_log(LOG))
    assert seen.max_concurrency == 85.328125
    assert (seen.weights_gib, seen.moe_backend, seen.max_model_len) == (15.73, "MARLIN", 8192)
    assert seen.sources["kv_cache_tokens"] == "metrics"
    assert seen.sources["max_model_len"] == "models"
    assert seen.sources["weights_gib"] == "log"
    assert seen.disagreements == ()


def test_disagreement_is_told_with_both_values():
    """A log of another start than the one that answers."""
    other = from_log(replace(LOG, kv_cache_tokens=100))
    seen = merge(from_metrics(METRICS), other)
    assert seen.kv_cache_tokens == 699008
    (told,) = seen.disagreements
    assert told == "size of the KV cache is 699,008 tokens by its metrics and 100 tokens by its log"
    assert merge(seen, Capacity()).disagreements == (told,)


def test_a_flag_tells_what_the_log_s_lines_do_not():
    """Quantisation that was asked for by name."""
    assert from_log(EngineLog(flags={"quantization": "fp8"})).quantization == "fp8"
    assert from_log(EngineLog(flags={"quantization": None})).quantization is None


def test_all_is_told_in_one_line_with_its_source():
    """Nothing known is an empty line."""
    line = described(merge(from_metrics(METRICS), from_log(LOG)))
    assert line == (
        "size of the KV cache 699,008 tokens, concurrency at full context 85.33 requests, memory "
        "of the KV cache 1.00 GiB, share of the device's memory 0.92 (metrics); memory of the "
        "weights 15.73 GiB, context length 8,192 tokens, MoE backend MARLIN (log)"
    )
    assert described(Capacity()) == ""
