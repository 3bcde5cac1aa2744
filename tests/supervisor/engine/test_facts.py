"""What an engine says of itself, from a real server."""

import aiohttp
import pytest
from aiohttp import web

from chaos.lab.serving import serving
from chaos.process.ports import free_port
from supervisor.engine.facts import read_all, read_engine_facts, root_of
from tests.fakes.http_server import answering, as_json

MODELS = as_json({"data": [{"id": "gemma", "max_model_len": 65536}, {"id": "alias"}, 7]})
PARSER = "vllm:tool_call_parser_invocations_total"


def metrics(*lines):
    """Answer with these metrics."""
    return 200, "text/plain", "\n".join(lines).encode()


async def facts(answers, suffix="/v1", **options):
    """Ask an engine that answers so."""
    with answering(answers) as url:
        async with aiohttp.ClientSession() as session:
            return await read_engine_facts(session, url + suffix, **options)


@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/"])
async def test_names_and_context_are_read_from_its_root(suffix):
    """The gateway's base ends with /v1, people's do not."""
    said = await facts({"/v1/models": MODELS}, suffix)
    assert said.names == ("gemma", "alias")
    assert said.max_model_len == {"gemma": 65536}
    assert said.problem == ""


async def test_an_engine_behind_a_prefix_is_asked_there():
    """One host may serve several."""
    assert (await facts({"/g/v1/models": MODELS}, "/g/v1")).names == ("gemma", "alias")
    assert root_of("http://h/g/v1/") == "http://h/g"


async def test_a_parser_is_told_by_its_metric_and_counted():
    """An engine of vLLM registers it, at 0, only if there is a parser."""
    said = await facts(
        {
            "/v1/models": MODELS,
            "/metrics": metrics(
                f"# TYPE {PARSER} counter",
                f'{PARSER}{{mode="streaming",outcome="tool_call"}} 3',
                f'{PARSER}{{mode="non_streaming",outcome="tool_call"}} 4.0',
                f'{PARSER}{{mode="streaming",outcome="no_tool_call"}} 20',
                f'{PARSER}{{mode="streaming",outcome="no_tool_call"}} NaN',
                f"{PARSER} nonsense",
            ),
        }
    )
    assert (said.has_tool_parser, said.calls_parsed, said.calls_missed) == (True, 7, 20)


@pytest.mark.parametrize(
    ("lines", "parser"),
    [(["vllm:num_requests_running 0"], False), (["python_info 1"], None), ([], None)],
)
async def test_no_metric_means_no_parser_only_where_it_is_vllm(lines, parser):
    """Another engine's metrics say nothing of parsers."""
    said = await facts({"/v1/models": MODELS, "/metrics": metrics(*lines)})
    assert said.has_tool_parser is parser


@pytest.mark.parametrize(
    "answer",
    [
        (401, "application/json", b"{}"),
        (200, "text/html", b"<html>"),
        as_json([]),
        as_json({"data": 1}),
    ],
)
async def test_an_engine_that_does_not_say_is_not_out_of_reach(answer):
    """It may ask for a key, or speak otherwise."""
    said = await facts({"/v1/models": answer})
    assert (said.names, said.problem) == (None, "")


async def test_a_broken_engine_is_told():
    """A server error is a problem of the engine's."""
    said = await facts({"/v1/models": (503, "text/plain", b"")})
    assert said.problem == "it answers 503 to GET /v1/models"


@pytest.mark.parametrize(
    ("url", "foreign"),
    [
        (f"http://127.0.0.1:{free_port()}/v1", False),
        ("http://no-such-engine.invalid:8000", True),
        ("http://127.0.0.1:99999", False),
        ("not a url", False),
    ],
)
async def test_an_engine_out_of_reach_is_a_fact(url, foreign):
    """Whether its name is unknown here decides who is to blame."""
    async with aiohttp.ClientSession() as session:
        said = await read_engine_facts(session, url, group="local", asked_for=("gemma",))
    assert said.problem
    assert said.foreign_name is foreign
    assert (said.group, said.asked_for, said.names) == ("local", ("gemma",), None)


async def test_every_engine_of_every_group_is_asked():
    """One answer per group and address."""
    with answering({"/v1/models": MODELS}) as url:
        async with aiohttp.ClientSession() as session:
            said = await read_all(session, {"a": {url: ("x",)}, "b": {url: ("y",)}})
    assert [(one.group, one.asked_for) for one in said] == [("a", ("x",)), ("b", ("y",))]


async def test_its_own_key_is_sent_where_vllm_asks_for_it():
    """Below /v1; its metrics are open."""
    seen = {}

    async def models(request):
        seen["models"] = request.headers.get("authorization")
        return web.json_response({"data": [{"id": "gemma", "root": "g/gemma-4"}]})

    async def published(request):
        seen["metrics"] = request.headers.get("authorization")
        return web.Response(text='vllm:cache_config_info{kv_cache_size_tokens="7"} 1')

    app = web.Application()
    app.router.add_get("/v1/models", models)
    app.router.add_get("/metrics", published)
    async with serving(app) as url, aiohttp.ClientSession() as session:
        said = await read_engine_facts(session, str(url), key="sk-engine")
    assert seen == {"models": "Bearer sk-engine", "metrics": None}
    assert (said.root, said.capacity.kv_cache_tokens) == ("g/gemma-4", 7)
    assert "sk-engine" not in repr(said)


@pytest.mark.parametrize("root", [None, 7, ""])
async def test_a_root_that_is_no_name_is_unknown(root):
    """Other servers have none."""
    said = await facts({"/v1/models": as_json({"data": [{"id": "gemma", "root": root}]})})
    assert not said.root


@pytest.mark.parametrize(
    ("rows", "owner"),
    [([{"id": "g", "owned_by": "llamacpp"}], "llamacpp"), ([{"id": "g", "owned_by": 1}], None)],
)
async def test_whose_its_first_model_is_names_the_engine(rows, owner):
    """Each engine writes itself there."""
    assert (await facts({"/v1/models": as_json({"data": rows})})).owned_by == owner
