"""The simulated vLLM as a program: what it serves, what it logs, and how it ends."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from chaos.lab.engine_command import KV_TOKENS
from chaos.process.ports import free_port
from supervisor.engine.log import read_log
from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[3]
TOOLS = ("--enable-auto-tool-choice", "--tool-call-parser", "gemma4")


class Running:
    """A program that was started, and the log that it writes."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path, url: str) -> None:
        self.process = process
        self.url = url
        self._log = log

    @property
    def log(self) -> str:
        """What it has written so far."""
        return self._log.read_text()

    async def answer(self, path: str) -> tuple[int, bytes]:
        """Wait until it answers at *path*."""
        async with asyncio.timeout(PATIENCE_S), aiohttp.ClientSession(self.url) as session:
            while True:
                assert self.process.returncode is None, self.log
                try:
                    async with session.get(path) as reply:
                        return reply.status, await reply.read()
                except aiohttp.ClientError:
                    await asyncio.sleep(0.01)

    async def writes(self, words: str) -> None:
        """Wait until its log has *words*."""
        async with asyncio.timeout(PATIENCE_S):
            while words not in self.log:
                assert self.process.returncode is None, self.log
                await asyncio.sleep(0.01)

    async def ends(self) -> int:
        """Wait for its end; gives its exit code."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.process.wait()


@asynccontextmanager
async def started(tmp_path: Path, *words: object, **lab: Any) -> AsyncIterator[Running]:
    """Start it at a port of its own; *lab* is what no flag says."""
    port, log = free_port(), tmp_path / "log"
    kept = {name: value for name, value in os.environ.items() if name != "VLLM_API_KEY"}
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "chaos.lab.engine_command", *map(str, words)),
            *("--host", "127.0.0.1", "--port", str(port)),
            cwd=ROOT,
            env={**kept, "LAB_ENGINE": json.dumps(lab)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
    try:
        yield Running(process, log, f"http://127.0.0.1:{port}")
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_it_serves_the_names_that_its_flags_say(tmp_path):
    """The first word is the checkpoint, and the context is the flag's."""
    words = ("serve", "/models/gemma", "--served-model-name", "gemma", "g", *TOOLS)
    async with started(tmp_path, *words, "--max-model-len", 4096) as engine:
        status, body = await engine.answer("/v1/models")
    assert status == 200
    assert [(one["id"], one["root"], one["max_model_len"]) for one in json.loads(body)["data"]] == [
        ("gemma", "/models/gemma", 4096),
        ("g", "/models/gemma", 4096),
    ]


async def test_the_model_may_be_a_flag_and_names_itself(tmp_path):
    """As older commands have it; without a served name it is served by its own."""
    async with started(tmp_path, "serve", "--model", "/models/gemma") as engine:
        _, body = await engine.answer("/v1/models")
    assert [one["id"] for one in json.loads(body)["data"]] == ["/models/gemma"]


async def test_the_log_of_its_start_is_read_as_vllm_s_own(tmp_path):
    """Flags, version, context, KV cache and kernels are where vLLM writes them."""
    words = ("serve", "/models/gemma", "--served-model-name", "gemma", *TOOLS)
    lab = {"version": "0.33.0", "log": ["INFO a line besides"]}
    async with started(tmp_path, *words, "--max-model-len", 4096, **lab) as engine:
        await engine.writes("Application startup complete")
        text = engine.log
    log = read_log(text)
    assert log.flags is not None
    assert log.flags["served_model_name"] == ["gemma"]
    assert log.flags["tool_call_parser"] == "gemma4"
    assert log.flags["enable_auto_tool_choice"] is True
    assert log.flags["max_model_len"] == 4096
    assert "reasoning_parser" not in log.flags
    assert (log.version, log.max_model_len, log.kv_cache_tokens) == ("0.33.0", 4096, KV_TOKENS)
    assert log.max_concurrency == round(KV_TOKENS / 4096, 2)
    assert (log.moe_backend, log.quantization) == ("MARLIN", "modelopt_fp4")
    assert log.architecture == "Gemma4ForConditionalGeneration"
    assert None not in (log.weights_gib, log.load_s, log.kv_cache_gib, log.ready_s)
    assert (log.serving, log.stopped, log.failures, log.death) == (True, False, (), "")
    assert "INFO a line besides\n" in text


async def test_it_asks_for_the_key_that_it_was_given(tmp_path):
    """And what is read of its log does not have it."""
    async with started(tmp_path, "serve", "m", "--api-key", "sk-made-up") as engine:
        status, _ = await engine.answer("/v1/models")
        log = read_log(engine.log)
    assert status == 401
    assert log.flags is not None
    assert "api_key" not in log.flags


async def test_sigterm_ends_it_in_order(tmp_path):
    """Exit code 0, and its log says that it was asked to."""
    async with started(tmp_path, "serve", "m") as engine:
        await engine.answer("/v1/models")
        engine.process.send_signal(signal.SIGTERM)
        code = await engine.ends()
        log = read_log(engine.log)
    assert (code, log.serving, log.stopped, log.death) == (0, True, True, "")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("serve", "m", "--no-such-flag"), 2, "error: unrecognized arguments: --no-such-flag"),
        (("serve", "m", "--max-model", "1"), 2, "error: unrecognized arguments: --max-model 1"),
        (("serve", "m", "--max-model-len", "x"), 2, "error: argument --max-model-len"),
        (("bench", "m"), 2, "invalid choice: 'bench'"),
        (("serve",), 2, "a model is needed"),
        (("launch", "render"), 2, "a model is needed"),
        (
            ("serve", "m", "--enable-auto-tool-choice", "--tool-call-parser", "gemma5"),
            1,
            "KeyError: invalid tool call parser: gemma5 (chose from { gemma4,hermes,pythonic })",
        ),
        (("serve", "m", "--reasoning-parser", "x"), 1, "KeyError: invalid reasoning parser: x"),
        (
            ("serve", "m", "--enable-auto-tool-choice"),
            1,
            "TypeError: Error: --enable-auto-tool-choice requires --tool-call-parser",
        ),
        (
            ("launch", "render", "m", "--enable-auto-tool-choice"),
            1,
            "--enable-auto-tool-choice requires --tool-call-parser",
        ),
    ],
)
async def test_what_vllm_refuses_ends_it_with_vllm_s_words(tmp_path, words, code, said):
    """Argparse's with exit code 2, and a start that fails with 1; nothing was served."""
    async with started(tmp_path, *words) as engine:
        ended = await engine.ends()
    assert (ended, said in engine.log) == (code, True), engine.log
    assert "Application startup complete" not in engine.log


async def test_what_it_refuses_is_read_as_the_failure_of_a_start(tmp_path):
    """With the parsers that it offers."""
    words = ("serve", "m", "--enable-auto-tool-choice", "--tool-call-parser", "gemma5")
    async with started(tmp_path, *words) as engine:
        await engine.ends()
    log = read_log(engine.log)
    assert log.failures == ("invalid tool call parser: gemma5",)
    assert log.parsers == ("gemma4", "hermes", "pythonic")


@pytest.mark.parametrize("code", [0, 7])
async def test_an_end_that_is_told_comes_after_its_log(tmp_path, code):
    """It never serves, and its last words are of its end."""
    lab = {"exit": code, "log": ["INFO first", "INFO second"]}
    async with started(tmp_path, "serve", "m", **lab) as engine:
        ended = await engine.ends()
    lines = engine.log.splitlines()
    assert ended == code
    assert lines[-3:] == ["INFO first", "INFO second", "[shutdown] engine core exited"]
    assert "Application startup complete" not in engine.log


async def test_sigterm_while_it_still_starts_ends_it(tmp_path):
    """Nobody waits for the rest of a long start, and nothing was served."""
    async with started(tmp_path, "serve", "m", start_s=100_000) as engine:
        await engine.writes("init engine (profile")
        engine.process.send_signal(signal.SIGTERM)
        code = await engine.ends()
    assert code == 0
    assert "Application startup complete" not in engine.log


async def test_a_start_that_takes_a_while_serves_after_it(tmp_path):
    """What is served is what the environment says beside the flags."""
    lab = {"start_s": 0.05, "always_says": "so be it"}
    async with started(tmp_path, "serve", "m", **lab) as engine:
        await engine.answer("/health")
        body = {"model": "m", "messages": [{"role": "user", "content": "x"}], "max_tokens": 50}
        async with (
            aiohttp.ClientSession(engine.url) as session,
            session.post("/v1/chat/completions", json=body) as reply,
        ):
            answer = await reply.json()
    assert "so be it" in answer["choices"][0]["message"]["content"]


async def test_launch_render_renders_and_serves_no_model(tmp_path):
    """It is well, has a template, and knows no models; SIGTERM ends it, too."""
    async with started(tmp_path, "launch", "render", "/models/gemma", *TOOLS) as renderer:
        assert await renderer.answer("/health") == (200, b"")
        status, _ = await renderer.answer("/v1/models")
        body = {"messages": [{"role": "user", "content": "x"}]}
        async with (
            aiohttp.ClientSession(renderer.url) as session,
            session.post("/v1/chat/completions/render", json=body) as reply,
        ):
            rendered = await reply.json()
        renderer.process.send_signal(signal.SIGTERM)
        code = await renderer.ends()
    assert (status, code) == (404, 0)
    assert rendered["token_ids"]
