"""What vLLM writes about itself while it starts is read, whatever the version."""

import json
from pathlib import Path

import pytest

from supervisor.engine.log import EngineLog, read_log

LOGS = Path(__file__).parents[2] / "data" / "engine_logs"

# Wording of vLLM 0.32.0, read in its source; numbers as a GB10 with Gemma 4 in NVFP4 might have.
ON_A_GPU = """\
(APIServer pid=1) INFO 11-24 00:27:50 [api_utils.py:286] non-default args: {'model': 'g/gemma-4'}
(APIServer pid=1) INFO 11-24 00:27:59 [model.py:733] Resolved architecture: Gemma4ForConditionalGeneration
(APIServer pid=1) INFO 11-24 00:27:59 [model.py:2152] Using max model len 262144
(EngineCore pid=2) INFO [core.py:133] Initializing a V1 LLM engine (v0.32.0) with config: model='g/gemma-4', quantization=compressed-tensors, quantization_config=None,
(EngineCore pid=2) INFO [config.py:288] Gemma4 model has heterogeneous head dimensions {256, 512}. FA4 not available, forcing TRITON_ATTN backend.
(EngineCore pid=2) INFO [__init__.py:846] Selected MarlinNvFp4LinearKernel for NVFP4
(EngineCore pid=2) WARNING [marlin.py:34] Your GPU does not have native support for FP4 computation but FP4 quantization is being used. Weight-only FP4 compression will be used leveraging the Marlin kernel.
(EngineCore pid=2) INFO [nvfp4.py:242] Using 'FLASHINFER_CUTLASS' NvFp4 MoE backend out of potential backends: ['FLASHINFER_TRTLLM', 'MARLIN'].
(EngineCore pid=2) INFO [default_loader.py:501] Loading weights took 87.20 seconds
(EngineCore pid=2) INFO [gpu_model_runner.py:5150] Model loading took 15.73 GiB memory and 91.301234 seconds
(EngineCore pid=2) INFO [gpu_model_runner.py:6475] Estimated CUDA graph memory: 0.91 GiB total
(EngineCore pid=2) INFO [gpu_worker.py:760] Available KV cache memory: 40.12 GiB
(EngineCore pid=2) INFO [kv_cache_utils.py:2478] Auto-fit max_model_len: reduced from 262144 to 131072 to fit in available KV cache memory (40.12)
(EngineCore pid=2) INFO [kv_cache_utils.py:2327] GPU KV cache size: 262,144 tokens, Maximum concurrency for 131,072 tokens per request: 2.00x
(EngineCore pid=2) INFO [gpu_model_runner.py:6582] Graph capturing finished in 12 secs, took 0.80 GiB
(EngineCore pid=2) INFO [core.py:396] init engine (profile, create kv cache, warmup model) took 61.50 s (compilation: 20.10 s)
(APIServer pid=1) WARNING [model.py:1894] Default vLLM sampling parameters have been overridden by the model's `generation_config.json`: `{'temperature': 1.0, 'top_k': 64}`. If this is not intended, please relaunch
"""  # noqa: E501 -- lines of a log are as long as they are

OLDER = """\
INFO 08-01 10:00:00 [api_server.py:1851] vLLM API server version 0.11.0
INFO 08-01 10:00:00 [utils.py:233] non-default args: {'model': 'q', 'api_key': ['sk-secret']}
INFO 08-01 10:00:09 [gpu_model_runner.py:1980] Model loading took 12.5000 GiB and 30.4 seconds
INFO 08-01 10:00:09 [fp8.py:100] Using MARLIN Fp8 MoE backend out of potential backends: ['X'].
INFO 08-01 10:00:09 [cuda.py:290] Using Flash Attention backend on V1 engine.
INFO 08-01 10:00:12 [kv_cache_utils.py:864] GPU KV cache size: 154,000 tokens
INFO 08-01 10:00:12 [kv_cache_utils.py:868] Maximum concurrency for 32,768 tokens per request: 4.70x
"""


def test_a_real_start_on_a_cpu_is_read():
    """Recorded from vLLM 0.32.0; the CPU backend tells neither weights nor graphs."""
    log = read_log((LOGS / "cpu_start_and_stop.log").read_text("utf-8"))
    assert log.flags is not None
    assert log.flags["tool_call_parser"] == "hermes"
    assert log.flags["enable_auto_tool_choice"] is True
    assert log.flags["served_model_name"] == ["google/gemma-4-26B-A4B-it"]
    assert log.version == "0.32.0"
    assert (log.architecture, log.max_model_len) == ("Qwen2ForCausalLM", 8192)
    assert (log.kv_cache_device, log.kv_cache_tokens) == ("CPU", 699008)
    assert (log.max_concurrency, log.load_s, log.ready_s) == (85.33, 0.01, 3.33)
    assert (log.auto_tool_choice, log.serving) == (True, True)
    assert (log.weights_gib, log.quantization, log.failures) == (None, None, ())


def test_an_engine_that_was_asked_to_stop_did_not_die():
    """A SIGTERM makes its processes end in ways that look like a death."""
    text = (LOGS / "cpu_start_and_stop.log").read_text("utf-8")
    late = "(APIServer pid=1) ERROR [x.py:1] EngineCore encountered a fatal error.\n"
    for told in (text, text + late):
        log = read_log(told)
        assert (log.death, log.stopped) == ("", True)


def test_a_worker_that_was_killed_is_a_death():
    """Although vLLM shuts everything down in good order afterwards; recorded."""
    log = read_log((LOGS / "worker_killed.log").read_text("utf-8"))
    assert log.death.startswith("Worker proc VllmWorker-0 died unexpectedly (exit code: -9)")
    assert log.stopped is False


def test_a_parser_that_does_not_exist_is_a_failed_start_that_lists_the_others():
    """Recorded from vLLM 0.32.0; the message is shown without its 54 names."""
    log = read_log((LOGS / "unknown_parser.log").read_text("utf-8"))
    assert log.failures == ("invalid tool call parser: gemma5",)
    assert len(log.parsers) == 54
    assert {"gemma4", "granite-20b-fc"} <= {*log.parsers}
    assert (log.version, log.serving) == ("0.32.0", False)


def test_everything_that_only_a_gpu_writes_is_read():
    """Weights, kernels, quantisation, graphs, and what vLLM decided by itself."""
    log = read_log(ON_A_GPU)
    assert (log.weights_gib, log.load_s, log.kv_cache_gib) == (15.73, 91.301234, 40.12)
    assert log.moe_backend == "FLASHINFER_CUTLASS"
    assert log.linear_backends == ("MarlinNvFp4LinearKernel for NVFP4",)
    assert log.fp4_weight_only is True
    assert log.attention_backend == "TRITON_ATTN"
    assert log.quantization == "compressed-tensors"
    assert (log.max_model_len, log.shortened_from) == (131072, 262144)
    assert (log.kv_cache_tokens, log.max_concurrency) == (262144, 2.0)
    assert (log.cuda_graph_gib, log.ready_s) == (0.80, 61.5)
    assert log.sampling == "{'temperature': 1.0, 'top_k': 64}"


def test_older_wordings_are_read_too():
    """Two lines for the KV cache, no word 'memory', no quotes; a key that was logged is dropped."""
    log = read_log(OLDER)
    assert (log.version, log.flags) == ("0.11.0", {"model": "q"})
    assert (log.weights_gib, log.load_s) == (12.5, 30.4)
    assert (log.moe_backend, log.attention_backend) == ("MARLIN", "Flash Attention")
    assert (log.kv_cache_tokens, log.max_concurrency) == (154000, 4.7)
    assert log.max_model_len == 32768
    assert "sk-secret" not in repr(log)


def test_only_the_last_of_several_starts_counts():
    """Its predecessor's KV cache, flags and failure are history."""
    failed = (LOGS / "unknown_parser.log").read_text("utf-8")
    log = read_log(ON_A_GPU + failed + OLDER)
    assert (log.version, log.failures, log.quantization) == ("0.11.0", (), None)
    assert log.kv_cache_tokens == 154000


def coloured(line):
    """As vLLM writes to a terminal."""
    return f"\x1b[1;36m{line}\x1b[0;0m"


def composed(line):
    """As docker compose logs shows it."""
    return f"vllm-1  | 2026-11-24T00:27:50.1Z {line}"


def in_docker_s_file(line):
    """As Docker's json-file driver keeps it."""
    return json.dumps({"log": line + "\n", "stream": "stderr", "time": "…"})


def as_json(line):
    """As a JSON logger writes it."""
    return json.dumps({"level": "INFO", "message": line})


@pytest.mark.parametrize("dressed", [coloured, composed, in_docker_s_file, as_json])
@pytest.mark.parametrize("text", [ON_A_GPU, OLDER])
def test_what_stands_around_a_message_changes_nothing(text, dressed):
    """Colours, prefixes and JSON are the terminal's, Compose's and Docker's."""
    assert read_log("\n".join(map(dressed, text.splitlines()))) == read_log(text)


@pytest.mark.parametrize(
    ("written", "flags"),
    [
        ("{'a': 1, 'mode': <Mode.VLLM: 3>}", {"a": 1, "mode": "<Mode.VLLM: 3>"}),
        ("{'a': 1, 'c': Config(level=3)}", {"a": 1, "c": "Config(level=3)"}),
        ("{'a': ['x'], 'b': True, 'rest': {'cut", {"a": ["x"], "b": True}),
        ("{'hf_token': 'hf_x', 'max_num_batched_tokens': 7}", {"max_num_batched_tokens": 7}),
        ("nonsense", {}),
    ],
)
def test_flags_are_read_leniently(written, flags):
    """Values that are no literals, and a line that is cut off, must not hide the rest."""
    assert read_log(f"INFO non-default args: {written}").flags == flags


@pytest.mark.parametrize(
    "line",
    [
        "TypeError: Error: --enable-auto-tool-choice requires --tool-call-parser",
        "TypeError: --tool-call-parser gemma4 cannot be used with the tokenizer of 'm': no token",
        "ValueError: No available memory for the cache blocks. Try increasing",
        "ValueError: To serve at least one request with the model's max seq len (131072), (9 GiB",
        "ValueError: Free memory on device cuda:0 (9/119 GiB) on startup is less than desired GPU",
        "ERROR Failed to load model - not enough GPU memory. Try lowering",
        "vllm serve: error: unrecognized arguments: --no-such-flag",
    ],
)
def test_every_known_failure_of_a_start_is_told(line):
    """Once, although vLLM's processes repeat it."""
    log = read_log(f"INFO non-default args: {{}}\n(EngineCore pid=1) {line}\n{line}\n")
    assert len(log.failures) == 1
    assert log.failures[0] in line


def test_a_text_that_is_not_vllm_s_says_nothing():
    """Nor does an empty one."""
    for text in ("", "hello\n{not json}\n{}\n[1]", "\x00\x1b[31m"):
        assert read_log(text) == EngineLog()
        assert read_log(text).says_anything is False


def test_a_log_whose_beginning_is_lost_still_tells_the_rest():
    """Rotation cuts the flags away."""
    log = read_log("\n".join(ON_A_GPU.splitlines()[8:]))
    assert (log.flags, log.kv_cache_tokens) == (None, 262144)
