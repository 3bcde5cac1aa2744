"""The daemon beside a real LiteLLM: what breaks behind its back shows, and kills lose nothing."""

import asyncio
import json
import random
import signal
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import pytest
import yaml
from sqlalchemy import URL

from chaos.lab.lab import Lab, running_lab
from chaos.process.ports import free_port
from tests.fakes.commandline import SCRIPT, environment, starting, understudy

pytestmark = pytest.mark.litellm

KILLS = 20


@pytest.fixture
async def lab(litellm_executable: Path, tmp_path: Path) -> AsyncIterator[Lab]:
    """A healthy lab of its own, whose engine can be changed."""
    folder = tmp_path / "lab"
    folder.mkdir()
    async with running_lab(
        "healthy",
        folder,
        say=lambda _: None,
        witness_port=free_port(),
        litellm=litellm_executable,
    ) as running:
        yield running


class Reached(Protocol):
    """What a daemon needs to know of a gateway."""

    @property
    def gateway_url(self) -> str: ...

    @property
    def key(self) -> str: ...

    @property
    def witness_port(self) -> int: ...


def configured(lab: Reached, folder: Path, store: str | None = None, **rehearse: Any) -> Path:
    """Write what a daemon beside *lab* needs; three groups of eight keep it short."""
    witness = f"127.0.0.1:{lab.witness_port}"
    config = folder / "understudy.yaml"
    sections = {
        "gateway": {"url": lab.gateway_url, "key": {"env": "LAB_KEY"}},
        "witness": {"listen": [witness], "url": f"http://{witness}"},
        "web": {"listen": [f"127.0.0.1:{free_port()}"]},
        "store": {"url": store or f"sqlite:///{folder / 'understudy.db'}"},
        "daemon": {"read_gateway_every": "1s"},
        "rehearse": {
            "streaming": "whole",
            "groups": {name: {"enabled": False} for name in ("gemini-*", "gpt-*", "*-haiku")},
            **rehearse,
        },
    }
    config.write_text(yaml.safe_dump(sections))
    return config


def api(config: Path) -> str:
    """Say where its API is."""
    return f"http://{yaml.safe_load(config.read_text())['web']['listen'][0]}"


def logging_to(log: Path, config: Path, lab: Reached) -> "subprocess.Popen[bytes]":
    """Start a daemon; its log goes into a file: a pipe would be full before anybody reads it."""
    with log.open("w") as stream:
        return subprocess.Popen(
            [str(SCRIPT), "run", "--config", str(config)],
            env=environment(LAB_KEY=lab.key),
            stderr=stream,
        )


async def until(url: str, holds: Callable[[Any], bool]) -> Any:
    """Ask the API until it answers, and rightly; the lab serves meanwhile."""
    async with aiohttp.ClientSession() as session:
        while True:
            with suppress(aiohttp.ClientConnectionError):
                async with session.get(url) as response:
                    answer = await response.json()
                if holds(answer):
                    return answer
            await asyncio.sleep(0.1)


async def ended(process: "subprocess.Popen[str]") -> str:
    """Wait for the end of a daemon, and give the rest of its log."""
    _, log = await asyncio.to_thread(process.communicate)
    return log


def proven(status: Any) -> bool:
    """Nothing is left that was never drilled."""
    return bool(status["states"]) and not status["states"].get("never_proven")


async def test_a_parser_that_is_changed_behind_its_back_shows_at_once(lab: Lab, tmp_path: Path):
    """The engine is started anew with another parser; its health stays green, and every path with
    a tool call fails with its reason.
    """
    config = configured(lab, tmp_path)
    log = tmp_path / "log"
    process = logging_to(log, config, lab)
    try:
        await until(f"{api(config)}/api/v1/status", proven)
        before = await until(f"{api(config)}/api/v1/coverage", lambda c: c["paths"])
        assert {path["state"] for path in before["paths"]} == {"proven"}
        await lab.engine.restart(tool_call_parser="hermes")

        def every_tool_call_failed(coverage: Any) -> bool:
            tools = [p for p in coverage["paths"] if p["shape"] == "tool_call"]
            return all(p["state"] == "failed" for p in tools if p["hop"] == "gemma")

        after = await until(f"{api(config)}/api/v1/coverage", every_tool_call_failed)
        served = [path for path in after["paths"] if path["hop"] == "gemma"]
        assert {(p["shape"], p["state"], p["kind"]) for p in served} == {
            ("chat", "proven", None),
            ("tool_call", "failed", "tool_call_leaked"),
        }
    finally:
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait) == 143
    assert "Traceback" not in log.read_text()
    assert lab.key not in log.read_text()


async def test_twenty_kills_lose_no_drill_and_repeat_none(lab: Lab, tmp_path: Path, url: URL):
    """At random moments, while every path is due again and again; on both databases."""
    store = url.render_as_string(hide_password=False)
    config = configured(lab, tmp_path, store, target="2s")
    rng, written = random.Random(7), set()
    for _ in range(KILLS):
        process = starting("run", "--config", config, LAB_KEY=lab.key)
        assert process.stderr is not None
        wanted = rng.randint(0, 4)
        while wanted >= 0:
            line = await asyncio.to_thread(process.stderr.readline)
            event = json.loads(line)
            if event["event"] == "drill.ended":
                written.add(event["drill"])
            wanted -= event["event"] in ("drill.ended", "daemon.started")
        process.kill()
        rest = (await ended(process)).splitlines()
        written |= {
            json.loads(line)["drill"]
            for line in rest
            if '"drill.ended"' in line and line.endswith("}")
        }
    told = await asyncio.to_thread(
        understudy, "history", "--config", config, "--limit", "1000", "--format", "json"
    )
    kept = Counter(one["drill"]["id"] for one in json.loads(told.stdout)["drills"])
    assert len(written) > KILLS
    assert written <= set(kept)
    assert set(kept.values()) == {1}
    checked = await asyncio.to_thread(understudy, "store", "check", "--config", config)
    assert checked.returncode == 0, checked.stdout
