"""A lab is a gateway that answers, and an engine behind it that can be spoilt."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from chaos.errors import UsageError
from chaos.lab.lab import BIN_VARIABLE, Lab, running_lab
from chaos.lab.setups import CLOUD_GROUPS
from chaos.lab.simulated_engine import SimulatedEngine
from tests.fakes.litellm import fake_litellm

NONCE = "0badcafe"
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Tell the weather.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        },
    }
]


async def ask(
    lab: Lab, session: aiohttp.ClientSession, group: str
) -> tuple[int, Mapping[str, Any]]:
    """Ask *group* to call the tool."""
    body = {
        "model": group,
        "messages": [{"role": "user", "content": f"Call get_weather for the city {NONCE}."}],
        "tools": TOOLS,
        "max_tokens": 512,
    }
    headers = {"Authorization": f"Bearer {lab.key}"}
    url = f"{lab.gateway_url}/v1/chat/completions"
    async with session.post(url, json=body, headers=headers) as reply:
        return reply.status, await reply.json()


@pytest.fixture(name="fake_litellm")
def _fake_litellm(tmp_path: Path) -> Path:
    """A program that comes up as LiteLLM does, and does nothing else."""
    return fake_litellm(tmp_path)


async def test_the_gateway_keeps_its_address_when_it_is_restarted(
    tmp_path: Path, fake_litellm: Path
):
    """A changed configuration is another process at the same URL."""
    async with running_lab(
        "no_fallbacks", tmp_path / "lab", say=print, litellm=fake_litellm
    ) as lab:
        url, pid = lab.gateway_url, lab.litellm.pid
        assert "fallbacks" not in (tmp_path / "lab/litellm.yaml").read_text()
        await lab.restart_gateway(fallbacks=True)
        assert lab.gateway_url == url
        assert lab.litellm.pid != pid
        assert "fallbacks" in (tmp_path / "lab/litellm.yaml").read_text()


async def test_keys_are_no_part_of_what_is_printed(tmp_path: Path, fake_litellm: Path):
    """Whoever prints a lab shows no key."""
    async with running_lab("healthy", tmp_path / "lab", say=print, litellm=fake_litellm) as lab:
        assert lab.key not in repr(lab)


@pytest.mark.parametrize(
    ("setup", "engine_kind"), [("helthy", "simulated"), ("healthy", "imaginary")]
)
async def test_what_there_is_not_is_refused(tmp_path: Path, setup: str, engine_kind: str):
    """An unknown set-up or kind of engine is told before anything is started."""
    with pytest.raises(UsageError):
        async with running_lab(setup, tmp_path, say=print, engine_kind=engine_kind):
            pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.litellm
async def test_a_healthy_lab_answers_and_falls_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
):
    """Through a real LiteLLM each group calls the tool, also when its provider has no money."""
    if BIN_VARIABLE not in os.environ:
        executable = request.getfixturevalue("litellm_executable")
        monkeypatch.setenv(BIN_VARIABLE, str(executable))
    async with (
        running_lab("healthy", tmp_path, say=print) as lab,
        aiohttp.ClientSession() as session,
    ):
        for group in [*(group.name for group in CLOUD_GROUPS), "gemma"]:
            status, body = await ask(lab, session, group)
            assert status == 200, body
            call = body["choices"][0]["message"]["tool_calls"][0]["function"]
            assert call["name"] == "get_weather"
            assert NONCE in call["arguments"]
        assert isinstance(lab.engine, SimulatedEngine)
        assert len(lab.engine.seen) == 1
        assert len(lab.provider.calls_total) == len(CLOUD_GROUPS)

        lab.provider.fails_with("billing")
        status, body = await ask(lab, session, "claude-opus")
        assert status == 200, body
        assert body["choices"][0]["message"]["tool_calls"]
        assert len(lab.engine.seen) == 2
