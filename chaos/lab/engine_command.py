"""The simulated vLLM as a program: vLLM's own command line, and the log of its start.

    vllm serve MODEL [FLAGS]            serves, as ``simulated_engine`` does
    vllm launch render MODEL [FLAGS]    renders, as ``simulated_renderer`` does

For containers, where an engine is a process and not an object. What no flag of vLLM says comes
from the environment: ``LAB_ENGINE``, JSON with fields of ``EngineFlags`` and with ``start_s`` (how
long it takes to come up), ``log`` (lines that it writes besides), ``exit`` (it ends with that code
in place of serving), ``allocates_mib`` (memory that it takes while it starts), and ``serving`` (the
same again, but only for an engine that serves and not for one that renders).

Source: the wording of vLLM 0.32.0, run; lines that only a GPU shows, read.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from chaos.lab.engine_flags import EngineFlags
from chaos.lab.simulated_engine import SimulatedEngine
from chaos.lab.simulated_renderer import SimulatedRenderer

ENVIRONMENT = "LAB_ENGINE"
OUTSIDE = ("start_s", "log", "exit", "allocates_mib")
KV_TOKENS = 200_000
WEIGHTS_GIB, KV_GIB = 1.5, 0.5


def parser() -> argparse.ArgumentParser:
    """Declare the flags that the simulation knows; vLLM has three hundred more."""
    flags = argparse.ArgumentParser("vllm", allow_abbrev=False)
    flags.add_argument("verb", choices=["serve", "launch"])
    flags.add_argument("model_tag", nargs="*")
    flags.add_argument("--model")
    flags.add_argument("--host", default="0.0.0.0")  # noqa: S104 -- vLLM's own default
    flags.add_argument("--port", type=int, default=8000)
    flags.add_argument("--served-model-name", nargs="+")
    flags.add_argument("--max-model-len", type=int, default=65_536)
    flags.add_argument("--enable-auto-tool-choice", action="store_true")
    flags.add_argument("--tool-call-parser")
    flags.add_argument("--reasoning-parser")
    flags.add_argument("--api-key")
    flags.add_argument("--max-num-seqs", type=int)
    flags.add_argument("--gpu-memory-utilization", type=float)
    return flags


def main(words: Sequence[str] | None = None) -> None:
    """Serve, or render, until SIGTERM."""
    given = parser().parse_args(words)
    told: dict[str, Any] = json.loads(os.environ.get(ENVIRONMENT) or "{}")
    renders = given.verb == "launch"
    serving = told.pop("serving", {})
    told |= {} if renders else serving
    outside: dict[str, Any] = {name: told.pop(name) for name in OUTSIDE if name in told}
    model = next(iter(given.model_tag[1 if renders else 0 :]), None) or given.model
    if not model:
        _end("error: a model is needed", 2)
    told.setdefault("served_model_names", given.served_model_name or [model])
    told["served_model_names"] = tuple(told["served_model_names"])
    by_flags = {
        "model": model,
        "max_model_len": given.max_model_len,
        "enable_auto_tool_choice": given.enable_auto_tool_choice,
        "tool_call_parser": given.tool_call_parser,
        "reasoning_parser": given.reasoning_parser,
        "api_key": given.api_key or os.environ.get("VLLM_API_KEY"),
    }
    try:
        flags = EngineFlags(**{**by_flags, **told})
    except (ValueError, TypeError) as error:
        kind = "TypeError" if "requires" in str(error) else "KeyError"
        _end(f"{kind}: {error}", 1)
    asyncio.run(_run(given, flags, outside, renders=renders))


async def _run(
    given: argparse.Namespace, flags: EngineFlags, outside: Mapping[str, Any], *, renders: bool
) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    if renders:
        await _within(stopped, outside)
        async with SimulatedRenderer(flags, host=given.host, port=given.port):
            _tell("INFO:     Application startup complete.")
            await stopped.wait()
        return
    for line in start_lines(flags, given):
        _tell(line)
    for line in outside.get("log") or ():
        _tell(line)
    # Written to, so that it is really taken.
    taken = bytearray(b"x") * (int(outside.get("allocates_mib") or 0) << 20)
    await _within(stopped, outside)
    del taken
    if "exit" in outside or stopped.is_set():
        _end("[shutdown] engine core exited", int(outside.get("exit", 0)))
    async with SimulatedEngine(flags, host=given.host, port=given.port):
        _tell("INFO:     Started server process [1]")
        _tell("INFO:     Application startup complete.")
        await stopped.wait()
        _tell("INFO trigger received signal=SIGTERM")


async def _within(stopped: asyncio.Event, outside: Mapping[str, Any]) -> None:
    """Take as long to come up as it is told, or until it is stopped."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(float(outside.get("start_s") or 0)):
            await stopped.wait()


def start_lines(flags: EngineFlags, given: argparse.Namespace) -> list[str]:
    """Write what vLLM tells of itself while it starts, in its own order."""
    shown = {
        name: value
        for name, value in vars(given).items()
        if value not in (None, False, [], parser().get_default(name)) and name != "verb"
    }
    concurrency = f"{KV_TOKENS / flags.max_model_len:.2f}x"
    full = f"Maximum concurrency for {flags.max_model_len:,} tokens per request: {concurrency}"
    config, others = "quantization=modelopt_fp4, ", ["FLASHINFER_CUTLASS", "MARLIN"]
    return [
        f"INFO [api_server.py:1] vLLM API server version {flags.version}",
        f"INFO [utils.py:1] non-default args: {shown!r}",
        "INFO [model.py:1] Resolved architecture: Gemma4ForConditionalGeneration",
        f"INFO [model.py:1] Using max model len {flags.max_model_len}",
        f"INFO [core.py:1] Initializing a V1 LLM engine (v{flags.version}) with config: {config}",
        f"INFO [nvfp4.py:1] Using 'MARLIN' NvFp4 MoE backend out of potential backends: {others}.",
        f"INFO [gpu_model_runner.py:1] Model loading took {WEIGHTS_GIB} GiB memory and 1.0 seconds",
        f"INFO [gpu_worker.py:1] Available KV cache memory: {KV_GIB} GiB",
        f"INFO [kv_cache_utils.py:1] GPU KV cache size: {KV_TOKENS:,} tokens, {full}",
        "INFO [core.py:1] init engine (profile, create kv cache, warmup model) took 1.00 s",
    ]


def _tell(line: str) -> None:
    print(line, flush=True)  # noqa: T201 -- the log of its start


def _end(line: str, code: int) -> NoReturn:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 -- its last words
    sys.exit(code)


if __name__ == "__main__":
    main()
