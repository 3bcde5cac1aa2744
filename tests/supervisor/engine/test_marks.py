"""What tells that an engine is not what it was."""

import json

import aiohttp

from supervisor.engine.marks import mark_of
from tests.fakes.http_server import answering


async def mark(*, name="gemma", length=8192, version="0.32.0", started="1700000000"):
    """Ask an engine that is so."""
    models = {"data": [{"id": name, "root": "/models/x", "max_model_len": length}]}
    answers = {
        "/v1/models": (200, "application/json", json.dumps(models).encode()),
        "/version": (200, "application/json", json.dumps({"version": version}).encode()),
        "/metrics": (200, "text/plain", f"process_start_time_seconds {started}\n".encode()),
    }
    with answering(answers) as url:
        async with aiohttp.ClientSession() as session:
            return await mark_of(session, f"{url}/v1")


async def test_the_same_engine_has_the_same_mark():
    """Wherever it listens."""
    assert await mark() == await mark()


async def test_another_name_length_version_or_start_is_another_mark():
    """A restart may have brought other parsers, which no answer names."""
    same = await mark()
    for changed in (
        {"name": "other"},
        {"length": 4096},
        {"version": "0.33.0"},
        {"started": "1700009999"},
    ):
        assert await mark(**changed) != same


async def test_an_engine_that_cannot_be_asked_has_none():
    """It is taken for what it was."""
    async with aiohttp.ClientSession() as session:
        assert await mark_of(session, "http://127.0.0.1:1/v1") is None
    with answering({}) as url:
        async with aiohttp.ClientSession() as session:
            assert await mark_of(session, url) is None


async def test_an_odd_answer_is_a_mark_too():
    """Nothing raises."""
    answers = {
        "/v1/models": (200, "application/json", b"[]"),
        "/version": (200, "text/html", b"<html>"),
    }
    with answering(answers) as url:
        async with aiohttp.ClientSession() as session:
            assert await mark_of(session, url) == " version None started None"
