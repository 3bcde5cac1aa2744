"""Asking a gateway: every way of not being one is a message with a remedy."""

import asyncio

import pytest
from aiohttp import web

from chaos.errors import GatewayError
from chaos.gateway.client import mended_url, open_gateway
from chaos.gateway.other_traffic import Listed
from chaos.gateway.virtual_key import hash_of
from tests.fakes.recorded_gateway import recorded
from tests.fakes.server import serving

ANSWERS = {
    "/model/info": "model_info",
    "/get/config/callbacks": "get_config_callbacks",
    "/router/settings": "router_settings",
    "/health/readiness/details": "health_readiness_details",
}


class Replay:
    """Answers as the recorded LiteLLM did, and keeps what was asked."""

    def __init__(self, **overrides):
        self.asked = []
        self.overrides = overrides

    async def __call__(self, request):
        self.asked.append((request.path, request.headers.get("authorization")))
        name = request.path.strip("/").replace("/", "_")
        if name in self.overrides:
            return self.overrides[name]()
        if request.path in ANSWERS:
            return web.json_response(recorded(ANSWERS[request.path]))
        return web.Response(status=404)


async def ask(handler, **changes):
    """Read the topology of whatever *handler* plays."""
    async with serving(handler) as url:
        values = {"key": "sk-drill", "admin_key": "sk-admin", **changes}
        async with open_gateway(url, **values) as gateway:
            return await gateway.topology()


async def test_a_topology_is_read_with_the_admin_key_and_health_is_never_asked():
    """GET /health sends a real request to every deployment: it is never touched."""
    replay = Replay()
    topology = await ask(replay)
    assert topology.litellm_version == "1.106.2"
    assert "anthropic" in topology.groups
    assert {key for _, key in replay.asked} == {"Bearer sk-admin"}
    assert "/health" not in {path for path, _ in replay.asked}


async def test_the_version_is_read_from_the_description_where_details_are_missing():
    """Older proxies have no details."""
    replay = Replay(
        health_readiness_details=lambda: web.Response(status=404),
        **{"openapi.json": lambda: web.json_response({"info": {"version": "1.70.1"}})},
    )
    assert (await ask(replay)).litellm_version == "1.70.1"


@pytest.mark.parametrize(
    "refusal",
    [
        lambda: web.json_response({"error": {"message": "no"}}, status=401),
        lambda: web.json_response({"error": {"message": "no"}}, status=403),
        lambda: web.json_response({"error": {"type": "no_db_connection"}}, status=400),
        lambda: web.Response(text="Internal Server Error", status=500),
    ],
)
async def test_a_key_that_is_not_accepted_is_said_so(refusal):
    """Without a database LiteLLM answers 400 to a wrong key, and 500 to none."""
    with pytest.raises(GatewayError, match="does not accept the key for GET /model/info") as caught:
        await ask(Replay(model_info=refusal))
    assert "--admin-key-env" in caught.value.remedy


async def test_an_ordinary_key_is_told_which_question_it_may_not_ask():
    """It may read the models and not the settings; a viewer's key suffices."""
    forbidden = Replay(get_config_callbacks=lambda: web.json_response({}, status=403))
    with pytest.raises(GatewayError, match="GET /get/config/callbacks") as caught:
        await ask(forbidden)
    assert "proxy_admin_viewer" in caught.value.remedy


@pytest.mark.parametrize(
    "page",
    [
        lambda: web.Response(text="<html>It works!</html>", content_type="text/html"),
        lambda: web.Response(status=404),
        lambda: web.Response(text="half {json", content_type="application/json"),
        lambda: web.Response(text="[" * 100_000, content_type="application/json"),
    ],
)
async def test_something_else_is_no_gateway(page):
    """A web server, another API, a proxy's error page."""
    with pytest.raises(GatewayError, match="does not answer like LiteLLM"):
        await ask(Replay(model_info=page))


async def test_a_gateway_that_hangs_is_given_up():
    """Waiting for ever is no answer."""

    async def hang(_):
        await asyncio.Event().wait()
        return web.Response()

    with pytest.raises(GatewayError, match="does not answer GET /model/info within"):
        await ask(hang, answer_within_s=0.05)


async def test_nobody_there_is_told_with_the_address():
    """A wrong port is the commonest mistake."""
    async with open_gateway("127.0.0.1:9", key="k", admin_key="k") as gateway:
        with pytest.raises(GatewayError, match=r"http://127\.0\.0\.1:9 cannot be reached"):
            await gateway.topology()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("http://h:4000/", "http://h:4000"),
        ("h:4000", "http://h:4000"),
        ("http://h:4000/v1", "http://h:4000"),
        ("http://h:4000/v1/chat/completions", "http://h:4000"),
        ("https://h/litellm", "https://h/litellm"),
    ],
)
def test_what_people_write_is_mended(written, meant):
    """A base URL is pasted from all kinds of places."""
    assert mended_url(written) == meant


@pytest.mark.parametrize("written", ["", "ftp://h", "http://"])
def test_what_is_no_url_is_refused(written):
    """There is nothing to connect to."""
    with pytest.raises(GatewayError, match="is not the URL of a gateway"):
        mended_url(written)


async def test_other_traffic_is_read_from_the_model_list_and_the_metrics():
    """Without metrics the list alone is known."""
    rows = [
        {"model_name": "g", "litellm_params": {"api_base": "http://h"}, "model_info": {"id": "a"}}
    ]
    page = 'litellm_deployment_cooled_down_total{model_id="a"} 2.0'

    async def handle(request):
        if request.path == "/metrics/":
            return web.Response(text=page) if page else web.Response(status=404)
        return web.json_response({"data": rows})

    async with serving(handle) as url, open_gateway(url, key="k", admin_key="k") as gateway:
        read = await gateway.other_traffic()
        page = ""
        bare = await gateway.other_traffic()
    assert read.deployments == bare.deployments == {"a": Listed("g", "http://h")}
    assert (read.cooled, bare.cooled) == ({"a": 2}, {})


@pytest.mark.parametrize(("status", "has"), [(200, True), (404, False)])
async def test_metrics_are_there_or_not(status, has):
    """They decide whether a faulted lane has to be put right."""

    async def handle(_):
        return web.Response(text="a 1", status=status)

    async with serving(handle) as url, open_gateway(url, key="k", admin_key="k") as gateway:
        assert await gateway.has_metrics() is has


async def test_what_is_good_to_know_is_asked_by_the_gateway_s_own_client():
    """Whether it lives, caches, and what the drills' key may call; nobody else sends it HTTP."""
    answers = {
        "/health/liveliness": "I'm alive!",
        "/v1/models": {"data": [{"id": "claude"}, {"id": "gemma"}]},
        "/health/readiness/details": {"cache": None},
        "/model_group/info": {
            "data": [
                {"model_group": "open", "configurable_clientside_auth_params": ["api_base"]},
                {"model_group": "shut", "configurable_clientside_auth_params": [{"api_base": "x"}]},
                {"model_group": "none", "configurable_clientside_auth_params": None},
            ]
        },
    }
    keys: dict[str, str | None] = {}

    async def handle(request):
        keys[request.path] = request.headers.get("authorization")
        return web.json_response(answers[request.path])

    async with serving(handle) as url, open_gateway(url, key="k", admin_key="admin") as gateway:
        assert (await gateway.alive()).status == 200
        assert await gateway.callable_models() == (200, frozenset({"claude", "gemma"}))
        assert await gateway.caches() is False
        assert await gateway.open_groups() == {"open"}
    assert keys.pop("/health/liveliness") is None
    assert set(keys.values()) == {"Bearer k"}


async def test_what_the_gateway_does_not_say_is_unknown_and_no_error():
    """An ordinary key may not ask everything."""

    async def handle(request):
        return web.json_response({"error": "no"}, status=403)

    async with serving(handle) as url, open_gateway(url, key="k", admin_key="admin") as gateway:
        assert (await gateway.alive()).status == 403
        assert await gateway.callable_models() == (403, None)
        assert await gateway.caches() is None
        assert await gateway.open_groups() == frozenset()


class Keys(Replay):
    """Knows a key of a team, which may ask for two groups."""

    async def __call__(self, request):
        if request.path == "/key/info":
            self.queries = [request.query_string]
            return web.json_response({"key": "k", "info": {"key_alias": "a", "team_id": "t 1"}})
        if request.path == "/team/info":
            self.queries.append(request.query_string)
            settings = {"fallbacks": [{"anthropic": ["vllm"]}]}
            return web.json_response({"team_info": {"router_settings": settings}})
        if request.path == "/v1/models":
            return web.json_response({"data": [{"id": "anthropic"}]})
        return await super().__call__(request)


async def test_as_a_virtual_key_the_topology_is_that_keys():
    """The key is named by its hash: addresses are written to logs."""
    replay = Keys()
    topology = await ask(replay, as_key=True)
    assert topology.caller is not None
    assert (topology.caller.name, topology.caller.settings_of) == ("a", "its team")
    assert topology.caller.models == {"anthropic"}
    assert topology.settings.fallbacks == ({"anthropic": ("vllm",)},)
    assert replay.queries == [f"key={hash_of('sk-drill')}", "team_id=t 1"]
    assert (await ask(Replay())).caller is None


async def test_a_gateway_that_tells_nothing_of_a_key_is_an_error():
    """Without a database there are no virtual keys; the message repeats neither key nor hash."""
    gone = Replay(key_info=lambda: web.Response(status=500, text="Internal Server Error"))
    said = "the key …rill may do: GET /key/info gave status 500"
    with pytest.raises(GatewayError, match=said) as caught:
        await ask(gone, as_key=True)
    assert "database" in caught.value.remedy
    assert hash_of("sk-drill") not in caught.value.message
