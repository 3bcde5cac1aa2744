"""What is wrong with a gateway, its keys and its engines is told item by item."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from chaos.gateway.client import open_gateway
from chaos.gateway.redirect_permission import redirect_permission
from chaos.lab.engine_flags import EngineFlags
from chaos.lab.simulated_engine import SimulatedEngine
from chaos.naming import MOST_NAMED
from chaos.process.ports import free_port
from supervisor.doctor.gateway import clock, gateway_items, permissions, version
from supervisor.settings.model import Settings
from tests.fakes.http_server import answering, as_json, litellm_answers
from tests.fakes.topologies import PERMISSION, group, topology

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ALIVE = {"/health/liveliness": (200, "application/json", b'"I am alive!"')}
WITNESS = "http://127.0.0.1:8941"


async def examined(answers, settings=None):
    """Look at a gateway that answers so, with the clock of today."""
    settings = settings or Settings()
    with answering(answers) as url:
        async with open_gateway(
            url, key="sk-key", admin_key="sk-key", wildcards=settings.wildcards
        ) as gateway:
            return await gateway_items(gateway, settings, now=datetime.now(UTC))


def told(items):
    """Name and status of each item."""
    return [(item.name, item.status.value) for item in items]


def models(*names):
    """Answer with the models that a key may call."""
    return {"/v1/models": as_json({"data": [{"id": name} for name in names]})}


async def test_a_gateway_that_is_well_is_told_so():
    """Nothing but GET requests are sent: the fake answers no other."""
    permission = redirect_permission()
    items = await examined({**ALIVE, **litellm_answers(permission=permission), **models("gpt")})
    assert told(items) == [
        (name, "ok")
        for name in ("gateway", "clock", "admin_key", "key", "litellm_version", "permissions")
    ]


@pytest.mark.parametrize("answers", [{}, {"/health/liveliness": (503, "text/plain", b"")}])
async def test_what_is_no_gateway_is_one_failure(answers):
    """Everything else would only repeat it."""
    (item,) = await examined(answers)
    assert (item.name, item.status) == ("gateway", "fail")


async def test_a_gateway_that_is_down_is_one_failure():
    """With the address that was tried."""
    url = f"http://127.0.0.1:{free_port()}"
    async with open_gateway(url, key="k", admin_key="k") as gateway:
        (item,) = await gateway_items(gateway, Settings(), now=NOW)
    assert url in item.message


async def test_the_model_that_stands_for_a_wildcard_is_told():
    """With the choices that have no effect, and the wildcards that nobody can drill."""
    names = {"openai/gpt": "one", "openai/o3": "one", "house-*": "two"}
    rows = [
        {"model_name": name, "litellm_params": {"model": name}, "model_info": {"id": identity}}
        for name, identity in names.items()
    ]
    answers = {**ALIVE, **litellm_answers(), "/model/info": as_json({"data": rows})}
    settings = Settings(wildcards={"openai/*": "openai/o3", "opnai/*": "opnai/o3"})
    items = [item for item in await examined(answers, settings) if "wildcard" in item.name]
    assert told(items) == [("wildcards", "ok"), ("wildcards", "warn"), ("wildcard_name", "warn")]
    standing, nobody, misspelt = items
    assert standing.message == "openai/o3 stands for the wildcard openai/*"
    assert "house-*" in nobody.message
    assert "did you mean 'openai/*'?" in (misspelt.remedy or "")


async def test_a_key_that_may_not_read_is_told():
    """Without the topology nothing more can be said."""
    items = await examined({**ALIVE, "/model/info": as_json({"error": "no"}, 401)})
    assert told(items)[-1] == ("admin_key", "fail")
    assert "--admin-key-env" in (items[-1].remedy or "")


async def test_a_key_that_may_not_call_everything_is_a_warning():
    """The groups are named; the others can be drilled."""
    items = await examined({**ALIVE, **litellm_answers(groups=("gpt", "claude")), **models("gpt")})
    (item,) = [item for item in items if item.name == "key"]
    assert (item.status, "claude" in item.message, "gpt" in item.message) == ("warn", True, False)


@pytest.mark.parametrize(("seen", "status"), [("openai/gpt", "ok"), ("claude", "warn")])
async def test_a_model_that_litellm_does_not_list_is_called_with_its_wildcard(seen, status):
    """A key that may call others of the wildcard may call it; one that may not is told."""
    rows = [
        {"model_name": name, "litellm_params": {"model": name}, "model_info": {"id": "one"}}
        for name in ("openai/gpt", "openai/o3")
    ]
    answers = {**ALIVE, **litellm_answers(), "/model/info": as_json({"data": rows}), **models(seen)}
    items = await examined(answers, Settings(wildcards={"openai/*": "openai/gpt-99"}))
    assert [item.status for item in items if item.name == "key"] == [status]


async def test_a_key_that_may_send_nothing_is_a_failure():
    """Drills are sent with it, not with the other one."""
    items = await examined({**ALIVE, **litellm_answers(), "/v1/models": as_json({}, 401)})
    assert ("key", "fail") in told(items)


@pytest.mark.parametrize(
    ("date", "status"),
    [
        (format_datetime(NOW + timedelta(seconds=59), usegmt=True), "ok"),
        (format_datetime(NOW - timedelta(seconds=61), usegmt=True), "warn"),
        (None, "ok"),
        ("yesterday", "ok"),
    ],
)
def test_clocks_that_differ_by_more_than_a_minute_are_told(date, status):
    """A gateway that does not tell its time is no fault."""
    assert clock(date, NOW).status == status


def test_a_litellm_that_keeps_redirects_is_a_warning():
    """A twin can drill it."""
    assert version(topology({})).status == "ok"
    assert version(topology({}, litellm_version="1.102.9")).status == "warn"
    assert version(topology({}, litellm_version="")).status == "warn"


def test_groups_with_and_without_permission_are_both_named():
    """A person sees which lines are missing."""
    groups = {
        "may": group("may", redirect_permission=PERMISSION),
        "may-not": group("may-not", redirect_permission=None),
    }
    good, bad = permissions(groups, WITNESS)
    assert (good.status, good.message) == ("ok", f"may be redirected to {WITNESS}: may")
    assert (bad.status, bad.message) == ("warn", f"may not be redirected to {WITNESS}: may-not")
    assert (good.groups, bad.groups) == (("may",), ("may-not",))
    assert list(permissions({}, WITNESS)) == []


def test_of_hundreds_of_groups_the_first_are_named_and_all_are_listed():
    """A person reads a dozen names, and a program all of them."""
    names = [f"g{n:03}" for n in range(300)]
    (bad,) = permissions({n: group(n, redirect_permission=None) for n in names}, WITNESS)
    assert bad.message.endswith(": " + ", ".join(names[:MOST_NAMED]) + " and 288 more")
    assert bad.groups == tuple(names)


async def examined_with(engine, monkeypatch):
    """Look at a gateway whose only group is served by *engine*."""
    monkeypatch.setenv("ENGINE_KEY", "sk-engine")
    told = {"url": engine.url, "key": {"env": "ENGINE_KEY"}}
    settings = Settings.model_validate({"engines": {"gpt": told}})
    with answering({**ALIVE, **litellm_answers(), **models("gpt")}) as url:
        async with open_gateway(url, key="sk-key", admin_key="sk-key") as gateway:
            return await gateway_items(gateway, settings, now=datetime.now(UTC))


FLAGS = EngineFlags(served_model_names=("gpt",), api_key="sk-engine")


async def test_an_engine_is_probed_with_its_key_and_generates_nothing(monkeypatch):
    """All that is sent to its model is refused before a token is made."""
    async with SimulatedEngine(FLAGS) as engine:
        items = await examined_with(engine, monkeypatch)
        seen = [(request.path, request.status) for request in engine.seen]
    (item,) = [item for item in items if item.name == "engine"]
    assert "takes requests with tools" in item.message
    assert "engine_state" not in dict(told(items))
    assert seen == [("/v1/chat/completions", 400)]


async def test_an_engine_that_refuses_tools_for_want_of_one_flag_is_found(monkeypatch):
    """Its metrics show a parser, and no log is named: only asking tells."""
    flags = replace(FLAGS, enable_auto_tool_choice=False)
    async with SimulatedEngine(flags) as engine:
        items = await examined_with(engine, monkeypatch)
    (item,) = [item for item in items if item.name == "engine"]
    assert (item.status, item.remedy) == ("fail", "Start vLLM with:\n--enable-auto-tool-choice")


async def test_an_engine_whose_key_is_wrong_is_told_by_its_state(monkeypatch):
    """What it answers without a key does not tell how it stands."""
    async with SimulatedEngine(replace(FLAGS, api_key="another")) as engine:
        items = await examined_with(engine, monkeypatch)
    (item,) = [item for item in items if item.name == "engine_state"]
    assert (item.status, "wants a key" in item.message) == ("warn", True)


async def test_an_engine_of_no_group_is_warned_of():
    """Drills would refuse it; the daemon goes on without."""
    answers = {**ALIVE, **litellm_answers(permission=redirect_permission()), **models("gpt")}
    settings = Settings.model_validate({"engines": {"gpd": "http://127.0.0.1:1"}})
    items = await examined(answers, settings=settings)
    (item,) = [item for item in items if item.name == "engine_name"]
    assert item.status == "warn"
    assert "did you mean 'gpt'?" in (item.remedy or "")


async def test_a_gateway_that_fails_is_quoted():
    """Its own words say more than a number."""
    (item,) = await examined({"/health/liveliness": (503, "text/plain", b"db is down")})
    assert "db is down" in item.message
