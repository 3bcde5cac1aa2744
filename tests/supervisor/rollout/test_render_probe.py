"""The probe, as it is run in a container: by a plain Python, with its text as an argument."""

import ast
import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from chaos.lab.engine_flags import EngineFlags
from chaos.lab.model_text import ModelFormat
from chaos.lab.serving import serving
from chaos.lab.simulated_renderer import SimulatedRenderer
from chaos.process.ports import free_port
from supervisor.probes.depths.forced import CALLS, TOOL, tool
from supervisor.rollout import render_probe
from supervisor.rollout.render_probe import call_of
from tests.patience import PATIENCE_S

SOURCE = Path(render_probe.__file__).read_text("utf-8")
ARGUMENTS = {"a": "understudy 4711"}
CALL = [TOOL, ARGUMENTS]
KNOWN = {"gemma4", "hermes", "pythonic"}


async def printed(base: str, *, tools: bool = True, **env: str) -> Any:
    """Run the probe to its end; gives what it printed."""
    given = {
        "base": base,
        "model": "gemma",
        "tool": tool(),
        "arguments": ARGUMENTS,
        "texts": {one.format: one.text for one in CALLS},
        "tools": tools,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-c", SOURCE, json.dumps(given)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **env},
    )
    async with asyncio.timeout(PATIENCE_S):
        output, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")
    return json.loads(output)


async def rendered(**flags: Any) -> Any:
    """Run the probe against a renderer with these flags."""
    async with SimulatedRenderer(EngineFlags(reasoning_parser=None, **flags)) as renderer:
        return await printed(renderer.url)


async def answered(answers: Mapping[str, tuple[int, Any]]) -> Any:
    """Run the probe against a server that always gives these answers, by their paths."""

    async def answer(request: web.Request) -> web.Response:
        status, body = answers.get(request.path, (404, "nothing here"))
        if isinstance(body, str):
            return web.Response(text=body, status=status)
        return web.json_response(body, status=status)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with serving(app) as url:
        return await printed(str(url).rstrip("/"))


def read_whole(found: Any) -> set[str]:
    """Name the formats in which a whole reply's call was read."""
    return {name for name, one in found["formats"].items() if one["whole"] is not None}


@pytest.mark.parametrize("family", sorted(KNOWN))
async def test_the_parser_of_the_model_s_family_reads_its_template(family):
    """Whole and streamed, with the arguments as they were."""
    found = await rendered(model_format=ModelFormat(family), tool_call_parser=family)
    assert (found["up"], found["history"], found["error"]) == (True, 200, "")
    assert found["version"] == "0.32.0"
    assert found["template"]["whole"] == found["template"]["streamed"] == CALL
    assert ARGUMENTS["a"] in found["template"]["text"]
    assert read_whole(found) == {family}
    assert found["formats"][family] == {
        "whole": [TOOL, {"a": "b"}],
        "streamed": [TOOL, {"a": "b"}],
    }


async def test_a_parser_of_another_family_reads_no_call():
    """What it does read is told beside, for whoever has to choose."""
    found = await rendered(model_format=ModelFormat.GEMMA4, tool_call_parser="hermes")
    assert found["template"]["text"].startswith("<|tool_call>call:understudy_probe{")
    assert (found["template"]["whole"], found["template"]["streamed"]) == (None, None)
    assert read_whole(found) == {"hermes"}
    assert set(found["formats"]) == {one.format for one in CALLS}
    assert found["error"] == ""


NO_TOOLS = EngineFlags(tool_call_parser=None, enable_auto_tool_choice=False)


async def test_a_server_that_takes_no_tools_is_asked_for_a_plain_chat():
    """It would refuse everything else, which says nothing of its template."""
    async with SimulatedRenderer(NO_TOOLS) as renderer:
        found = await printed(renderer.url, tools=False)
        refused = await printed(renderer.url)
    assert (found["history"], found["error"], found["template"]) == (200, "", None)
    assert '"auto" tool choice requires' in refused["error"]


async def test_a_proxy_in_the_container_s_environment_is_not_asked():
    """It does not lead back to the container, and often is not there."""
    async with SimulatedRenderer(EngineFlags()) as renderer:
        found = await printed(renderer.url, http_proxy=f"http://127.0.0.1:{free_port()}")
    assert found["up"] is True


async def test_an_answer_of_another_shape_is_told_at_once():
    """Else it would be asked again until its time is up."""
    found = await answered({"/v1/chat/completions/render": (200, [[{}], [{"a": 1}]])})
    assert found["up"] is True
    assert found["error"].startswith("render answers [[{}]")


async def test_nothing_that_listens_is_not_up():
    """It may still be starting."""
    assert await printed(f"http://127.0.0.1:{free_port()}") == {"up": False}


@pytest.mark.parametrize("body", ["Internal Server Error", {"error": {"message": "no template"}}])
async def test_a_template_that_fails_is_an_error(body):
    """With what the server said, be it JSON or not; nothing else is asked."""
    found = await answered({"/health": (200, ""), "/v1/chat/completions/render": (500, body)})
    assert (found["up"], found["version"], found["history"]) == (True, None, 500)
    assert found["error"].startswith("the template refuses a chat with a tool: ")
    assert (body if isinstance(body, str) else "no template") in found["error"]
    assert (found["template"], found["formats"]) == (None, {})


async def test_a_server_that_derenders_nothing_is_an_error():
    """With the status that it answered."""
    found = await answered(
        {
            "/health": (200, ""),
            "/version": (200, {"version": "1"}),
            "/v1/chat/completions/render": (200, {"token_ids": [1, 2]}),
            "/v1/chat/completions/derender": (404, {"detail": "Not Found"}),
            "/tokenize": (200, {"tokens": [1]}),
        }
    )
    assert (found["up"], found["version"], found["history"]) == (True, "1", 200)
    assert found["error"].startswith("ValueError: derender answers 404")


async def test_a_template_that_writes_nothing_for_a_call_is_none():
    """The turn is as long as the prompt, so there is nothing to compare."""
    message = {"message": {"content": "x", "tool_calls": []}}
    found = await answered(
        {
            "/v1/chat/completions/render": (200, {"token_ids": [1, 2]}),
            "/v1/chat/completions/derender": (200, {"choices": [message]}),
            "/tokenize": (200, {"tokens": [1]}),
        }
    )
    assert (found["template"], found["error"]) == (None, "")
    assert read_whole(found) == set()


@pytest.mark.parametrize(
    ("messages", "call"),
    [
        ([], None),
        ([{"content": "x"}, {"tool_calls": None}, {"tool_calls": []}], None),
        ([{"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": ""}}]}], ["f", {}]),
        (
            [{"tool_calls": [{"function": {"name": "f", "arguments": '{"a": 1}'}}]}],
            ["f", {"a": 1}],
        ),
        (
            [
                {"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": None}}]},
                {"tool_calls": [{"index": 0, "function": {"arguments": '{"a"'}}]},
                {"content": "between"},
                {"tool_calls": [{"index": 1, "function": {"name": "g", "arguments": "{}"}}]},
                {"tool_calls": [{"index": 0, "function": {"name": None, "arguments": ": 1}"}}]},
            ],
            ["f", {"a": 1}],
        ),
        ([{"tool_calls": [{"function": {"name": "f", "arguments": '{"a'}}]}], ["f", '{"a']),
        ([{"tool_calls": [{"index": 0, "function": None}]}], None),
    ],
)
def test_the_pieces_of_a_call_are_joined(messages, call):
    """Of the first call alone; arguments that are no JSON stay text."""
    assert call_of(messages) == call


def test_the_script_uses_nothing_newer_than_python_3_9():
    """It runs in an image's own Python, with the standard library."""
    tree = ast.parse(SOURCE, feature_version=(3, 9))
    imported = {
        name.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for name in node.names
    } | {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported == {"json", "sys", "typing", "urllib"}
