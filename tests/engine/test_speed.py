"""Our speed of a real vLLM beside that of its own tool, and beside its own counters."""

import asyncio
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from chaos.clock import SystemClock
from chaos.lab.vllm_engine import MODELS, VllmEngine
from supervisor.baseline.counters import between, read_counters
from supervisor.baseline.measure import Order, measure
from supervisor.baseline.record import Benchmark, Method
from supervisor.baseline.text import TEXTS
from supervisor.engine.http import get_metrics
from supervisor.settings.model import EngineSettings
from tests.engine.stage import HERMES_FLAGS, QWEN

log = logging.getLogger(__name__)

TOKENS = 512
RUNS = 3
CLOSE = 0.01
ROUNDS = 6


@contextmanager
def apart(engine: VllmEngine) -> Iterator[None]:
    """Give the model one processor, and whoever asks and answers another.

    On two processors the model takes both, and what hands out its tokens comes to it only when
    the model has ended: then everything arrives at once, and there is nothing to time.
    """
    processors = sorted(os.sched_getaffinity(0))
    core = engine._core()
    assert engine._process is not None
    others = [engine._process.pid, os.getpid()]
    _pin(core, {processors[0]})
    for pid in others:
        _pin(pid, {processors[-1]})
    try:
        yield
    finally:
        for pid in (core, *others):
            _pin(pid, set(processors))


def _pin(pid: int, processors: set[int]) -> None:
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):  # A thread that has just ended.
            os.sched_setaffinity(int(task.name), processors)


async def ours(stage: Any) -> Benchmark:
    """Measure as ``understudy bench run --ignore-eos`` does."""
    settings = EngineSettings(url=stage.hermes.url, log=stage.hermes.log_path)
    method = Method(max_tokens=TOKENS, runs=RUNS, ignore_eos=True)
    order = Order("hermes", settings, texts=(TEXTS["prose"],), method=method)
    return await measure(stage.session, SystemClock(), order)


async def theirs(stage: Any, vllm: Path, folder: Path) -> tuple[float, float]:
    """Measure as ``vllm bench serve`` does.

    Returns:
        Its seconds for each token after the first, and the engine's own over the same requests.
    """
    before = read_counters(await get_metrics(stage.session, stage.hermes.url))
    command = [
        *(str(vllm), "bench", "serve", "--backend", "openai-chat"),
        *("--base-url", stage.hermes.url, "--endpoint", "/v1/chat/completions"),
        *("--model", QWEN, "--tokenizer", str(MODELS / "hermes")),
        *("--dataset-name", "random", "--random-input-len", "20"),
        *("--random-output-len", str(TOKENS), "--num-prompts", str(RUNS)),
        *("--max-concurrency", "1", "--ignore-eos", "--temperature", "0"),
        *("--save-result", "--result-dir", str(folder), "--result-filename", "theirs.json"),
    ]
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "HF_HUB_OFFLINE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
    }
    process = await asyncio.create_subprocess_exec(
        *command,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()[-3000:]
    after = read_counters(await get_metrics(stage.session, stage.hermes.url))
    engine_tps = between(before, after).decode_tps
    assert engine_tps is not None
    found = json.loads((folder / "theirs.json").read_text())
    assert found["total_output_tokens"] == RUNS * TOKENS
    return found["mean_tpot_ms"] / 1000, 1 / engine_tps


async def test_it_agrees_with_vllms_own_tool_or_the_engine_says_which_is_wrong(
    stage, vllm_executable, tmp_path
):
    """Within a percent by time per output token, each against the engine's own counters.

    What is off is either not counted by us, or theirs and explained by the counters: on a busy
    machine their tool has reported 100,000 tokens a second of an engine that made 800.
    """
    await stage.engines()
    told: list[str] = []
    agreed = False
    with apart(stage.hermes):
        for _ in range(ROUNDS):
            found = await ours(stage)
            their_itl_s, engine_itl_s = await theirs(stage, vllm_executable, tmp_path)
            their_error = their_itl_s / engine_itl_s - 1
            figures = found.figures.get(("prose", 1))
            if figures is None:
                doubts = sorted({doubt for run in found.runs for doubt in run.doubts})
                told.append(f"ours not counted: {doubts}; theirs {their_error:+.2%}")
                continue
            assert figures.itl_s is not None
            assert figures.engine_tps is not None
            our_error = figures.itl_s * figures.engine_tps - 1
            told.append(
                f"ours {1000 * figures.itl_s:.3f} ms ({our_error:+.2%} of the engine's), theirs "
                f"{1000 * their_itl_s:.3f} ms ({their_error:+.2%} of the engine's)"
            )
            assert all(run.tokens == TOKENS == run.engine.tokens for run in figures.runs)
            if abs(their_error) <= CLOSE:
                # The engine confirms theirs: then it must confirm ours.
                assert abs(our_error) <= CLOSE, told
                agreed = True
                break
    log.info("; ".join(told))  # Shown with --log-cli-level=INFO.
    assert agreed, told


async def test_what_it_ran_on_is_read_from_a_real_engine(stage):
    """Version, arguments, context and KV cache; the boot by its process."""
    await stage.engines()
    found = await ours(stage)
    known = found.conditions
    assert (known.served_name, known.version) == (QWEN, HERMES_FLAGS.version)
    assert known.model == str(MODELS / "hermes")
    assert known.arguments is not None
    assert known.arguments["tool_call_parser"] == "hermes"
    assert known.kv_cache_tokens is not None
    assert known.max_model_len == HERMES_FLAGS.max_model_len
    assert found.boot is not None
    assert found.boot.told_by == "process"


@pytest.mark.one_of_a_kind
async def test_another_start_of_the_same_engine_is_another_boot_of_one_configuration(stage):
    """That is what a comparison learns from how far boots differ."""
    await stage.engines()
    first = await ours(stage)
    stage.started.pop("hermes")
    await stage.engines()
    second = await ours(stage)
    assert first.boot_name != second.boot_name
    # The port stays, and so does everything that was chosen.
    assert first.conditions.configuration == second.conditions.configuration
