"""Which models an engine that loads them on demand has in memory."""

import json

import aiohttp
import pytest

from supervisor.engine.residency import is_loaded, loaded_models
from tests.fakes.http_server import answering


def says(answer):
    """Answer with JSON."""
    return 200, "application/json", json.dumps(answer).encode()


async def loaded(answers):
    """Ask an engine that answers so."""
    with answering(answers) as url:
        async with aiohttp.ClientSession() as session:
            return await loaded_models(session, f"{url}/v1")


async def test_ollama_and_llama_swap_list_what_is_loaded():
    """Each in its own way; nothing loaded is an empty list."""
    ollama = {"/api/ps": says({"models": [{"name": "gemma3:latest", "model": "gemma3:latest"}]})}
    assert await loaded(ollama) == {"gemma3:latest"}
    swap = {"/running": says({"running": [{"model": "qwen", "state": "ready"}]})}
    assert await loaded(swap) == {"qwen"}
    assert await loaded({"/running": says({"running": []})}) == frozenset()


@pytest.mark.parametrize("answer", [{}, [], {"models": "many"}, {"models": [1, {"name": 2}]}])
async def test_what_lists_nothing_says_nothing(answer):
    """An engine that keeps one model has no such list; an odd answer names no model."""
    assert not await loaded({"/api/ps": says(answer)})


async def test_an_engine_that_is_silent_says_nothing():
    """Then it is drilled: the drill shows that it is down."""
    async with aiohttp.ClientSession() as session:
        assert await loaded_models(session, "http://127.0.0.1:1/v1") is None


@pytest.mark.parametrize("model", ["gemma3", "gemma3:latest"])
def test_the_tag_latest_goes_without_saying(model):
    """As Ollama has it."""
    assert is_loaded(model, frozenset({"gemma3:latest"}))
    assert is_loaded(model, frozenset({"gemma3"}))
    assert not is_loaded(model, frozenset({"gemma3:27b"}))
