"""The twin: started from a configuration, drilled, and gone."""

import secrets
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import cast

import aiohttp
import pytest
import yaml

from chaos.drill.injectors.twin import Twin, _same_version
from chaos.errors import SetupError
from chaos.faults.fault import FaultName
from chaos.gateway.client import Gateway, open_gateway
from chaos.gateway.process import running_litellm
from chaos.gateway.virtual_key import VirtualKey
from chaos.judge.check import Kind
from chaos.judge.observation import ClientReply
from chaos.lab.setups import gateway_config
from chaos.lab.simulated_engine import SimulatedEngine
from chaos.process.ports import free_port
from chaos.protocol.reading import ReadError, Reading
from chaos.scenario.expand import Selection
from chaos.witness.closable_port import closable_ports
from chaos.witness.server import Witness
from supervisor.campaign.request import DrillRequest
from supervisor.campaign.run import run_drills
from supervisor.settings.model import (
    DrillSettings,
    GatewaySettings,
    Settings,
    TwinSettings,
    WitnessSettings,
)
from tests.fakes.plans import one_scenario, plan_for
from tests.fakes.topologies import group, topology
from tests.patience import PATIENCE_S


def test_a_twin_of_another_version_is_refused():
    """It would prove nothing about the gateway."""
    with pytest.raises(SetupError, match=r"is 1\.2, and the gateway's is 1\.3") as caught:
        _same_version("1.2", "1.3")
    assert "--litellm-bin" in caught.value.remedy
    _same_version("1.2", "1.2")
    _same_version("1.2", "")


TWO = topology({"paid": ["backup"]})
LOCAL = topology({"paid": ["local"]})


UNUSED = cast(aiohttp.ClientSession, None)


@asynccontextmanager
async def twin_of(gateway, *, real_keys=False, signs_in=True):
    """A twin whose LiteLLM nobody asks."""
    async with (
        Witness().serving([("127.0.0.1", 0)]) as witness,
        closable_ports(witness.server, "127.0.0.1", 2) as opened,
    ):
        ids = [d.id for g in gateway.groups.values() for d in g.deployments]
        yield Twin(
            witness,
            gateway,
            gateway=Gateway(UNUSED, "http://127.0.0.1:1", key="k", admin_key="k"),
            stripped=(),
            addresses={identity: str(i) for i, identity in enumerate(ids)},
            refusing=dict(zip(ids, opened, strict=False)),
            canary="canary",
            real_keys=real_keys,
            signs_in=signs_in,
        )


def planned(gateway, fault, depth, **options):
    """Plan the drill of one fault."""
    scenario = one_scenario(gateway, fault=fault, depth=depth)
    return plan_for(gateway, scenario, injector="twin", **options)


def error(message):
    """An error as the client reads it."""
    return ClientReply(500, Reading(error=ReadError(message)))


@pytest.mark.parametrize(
    ("message", "hops"),
    [
        ("OpenAIException - Connection error.", ["paid", "backup"]),
        (
            "Cannot connect to host 127.0.0.1:1 ssl:default [Connect call failed]",
            ["paid", "backup"],
        ),
        ("TypeError: unsupported operand in my_hook.py", []),
    ],
)
async def test_a_refused_connection_is_believed_where_the_error_tells_of_it(message, hops):
    """Any other error may come from before the first attempt, and proves nothing."""
    async with twin_of(TWO) as twin:
        plan = planned(TWO, "connection_refused", 2)
        assert [record.group for record in twin.infer(plan, (), error(message))] == hops
        assert twin.infer(plan, (), ClientReply(500, Reading())) == ()


@pytest.mark.parametrize(("real_keys", "sent"), [(True, "canary"), (False, None)])
async def test_a_drill_by_canary_shows_no_real_key_to_anybody(real_keys, sent):
    """A twin with real keys is given them all; a drill that needs none sends the canary."""
    async with twin_of(LOCAL, real_keys=real_keys) as twin:
        plan = planned(LOCAL, "billing", 1, real_keys=real_keys)
        assert plan.canary
        async with twin.route(plan) as route:
            assert route.body.get("api_key") == sent


async def test_a_group_of_the_database_alone_is_no_twins():
    """It is drilled in another way or not at all; the others are drilled all the same."""
    running = topology({"paid": ["from-db"]})
    for known, objects in ((("paid", "from-db"), True), (("paid",), False)):
        async with twin_of(topology({"paid": []})) as twin:
            twin._running_groups = known
            objection = twin.objection(planned(running, "billing", 1).scenario)
            assert (objection is not None and "'from-db'" in objection.reason) is objects
    async with twin_of(topology({"other": []})) as twin:
        objection = twin.objection(planned(running, "billing", 1).scenario)
        assert objection is not None
        assert objection.kind is Kind.GATEWAY_REFUSED


@pytest.mark.parametrize(
    ("fault", "depth", "reason"),
    [
        ("billing", 1, None),
        ("hang", 1, None),
        ("stream_cut", 1, "something that is not an error"),
        ("hang.once", 1, "something that is not an error"),
        ("billing", 2, "neither serve nor be stood in for"),
    ],
)
async def test_a_hop_of_an_unknown_dialect_can_only_fail(fault, depth, reason):
    """It has an address of its own; what it would have to say is not known."""
    other = {"paid": group("paid", litellm_model="cohere_chat/command-r-plus", dialect=None)}
    gateway = topology({"paid": ["local"]} if depth == 1 else {"first": ["paid"]}, groups=other)
    stream = fault == "stream_cut"
    asked = "paid" if depth == 1 else "first"
    async with twin_of(gateway) as twin:
        found = twin.objection(one_scenario(gateway, asked, fault, stream=stream))
    assert (found.reason if found else None) == reason or (found and reason in found.reason)
    if found:
        assert "'cohere_chat'" in found.reason
        assert found.kind is Kind.HOP_NOT_FORWARDABLE


async def test_vertex_needs_google_auth_in_the_twins_litellm():
    """Without it nothing is asked, and that would read like a hop that was skipped."""
    other = {"paid": group("paid", litellm_model="vertex_ai/gemini-2.5-pro", dialect="vertex")}
    gateway = topology({"paid": ["local"]}, groups=other)
    async with twin_of(gateway) as twin:
        assert twin.objection(one_scenario(gateway)) is None
    async with twin_of(gateway, signs_in=False) as twin:
        found = twin.objection(one_scenario(gateway))
    assert found is not None
    assert "lacks google-auth" in found.reason


async def test_a_drill_that_needs_real_keys_sends_no_canary():
    """It would take the place of the key that is to be tried."""
    async with twin_of(TWO, real_keys=True) as twin:
        plan = planned(TWO, "billing", 1, real_keys=True)
        async with twin.route(plan) as route:
            assert "api_key" not in route.body


@pytest.mark.parametrize(("provider", "objects"), [("replicate", True), ("cohere", False)])
async def test_a_provider_that_is_asked_elsewhere_is_not_drilled(provider, objects):
    """Whatever address the twin gives it, LiteLLM would ask the provider itself."""
    stranger = group("paid", dialect=None, provider=provider)
    gateway = topology({"paid": ["backup"]}, groups={"paid": stranger})
    async with twin_of(gateway) as twin:
        objection = twin.objection(planned(gateway, "billing", 1).scenario)
        assert (objection is not None) is objects
        if objection is not None:
            assert f"asks {provider} at its own address" in objection.reason


@pytest.mark.parametrize(("version", "objects"), [("1.102.9", True), ("1.106.2", False)])
async def test_an_old_twin_would_keep_the_canary_key(version, objects):
    """Below 1.103 a deployment with a client's key joins its group for good."""
    gateway = replace(LOCAL, litellm_version=version)
    async with twin_of(gateway, real_keys=True) as twin:
        assert (twin.objection(planned(LOCAL, "billing", 1).scenario) is not None) is objects


def drilling(port, config_file, executable):
    """Settings for drills by twin."""
    return Settings(
        gateway=GatewaySettings(url="http://127.0.0.1:1"),
        witness=WitnessSettings(listen=(f"127.0.0.1:{port}",), url=f"http://127.0.0.1:{port}"),
        drills=DrillSettings(injector="twin", deadline_s=PATIENCE_S, concurrency=4),
        twin=TwinSettings(litellm_config=config_file, litellm_bin=executable),
    )


@pytest.mark.litellm
async def test_a_configuration_is_drilled_without_touching_the_gateway(
    litellm_executable, tmp_path
):
    """Faults, refused connections and good answers, all through a twin that is gone afterwards."""
    key, port = f"sk-{secrets.token_hex(24)}", free_port()
    async with SimulatedEngine() as engine:
        config = gateway_config(
            provider_bases=dict.fromkeys(("anthropic", "openai", "gemini"), "http://127.0.0.1:9"),
            engine_base=engine.base_url,
            fallbacks=True,
            witness_port=1,  # the running gateway permits nothing
        )
        file = tmp_path / "litellm-config.yaml"
        file.write_text(yaml.safe_dump(config), "utf-8")
        async with (
            running_litellm(
                litellm_executable, config, directory=tmp_path / "running", master_key=key
            ) as running,
            open_gateway(running.url, key=key, admin_key=key) as gateway,
        ):
            request = DrillRequest(
                Selection(
                    groups=("claude-opus", "gpt-5"),
                    faults=(FaultName("billing"), FaultName("connection_refused")),
                    shapes=("tool_call",),
                    surfaces=("chat_completions",),
                )
            )
            report = await run_drills(gateway, drilling(port, file, litellm_executable), request)
    assert {row.injector for row in report.drills} == {"twin"}
    assert report.summary.passed == len(report.drills) == 16
    refused = next(row for row in report.drills if "connection_refused" in row.scenario.key)
    assert (refused.hops[0].outcome, refused.hops[0].status) == ("faulted", None)


@pytest.mark.litellm
async def test_a_configuration_that_does_not_load_is_told_in_litellms_words(
    litellm_executable, tmp_path
):
    """A flat list of fallbacks is refused by LiteLLM itself, and it says why."""
    file = tmp_path / "bad.yaml"
    entry = {"model_name": "a", "litellm_params": {"model": "openai/x"}}
    broken = {"model_list": [entry], "router_settings": {"fallbacks": ["a", "b"]}}
    file.write_text(yaml.safe_dump(broken), "utf-8")
    async with Witness().serving([("127.0.0.1", 0)]) as witness:
        with pytest.raises(SetupError, match="Item 'a' is not a dictionary"):
            async with Twin.starting(
                witness, file, executable=litellm_executable, directory=tmp_path / "twin"
            ):
                pass


CALLBACK = """
from pathlib import Path
from typing import cast
from litellm.integrations.custom_logger import CustomLogger
Path(__file__).with_name("loaded").touch()
handler = CustomLogger()
"""


@pytest.mark.litellm
async def test_a_callback_in_a_folder_of_the_users_is_loaded(litellm_executable, tmp_path):
    """LiteLLM looks for it beside its own file, with or without an __init__.py."""
    code, file = tmp_path / "user" / "hooks" / "mask.py", tmp_path / "user" / "config.yaml"
    code.parent.mkdir(parents=True)
    code.write_text(CALLBACK, "utf-8")
    entry = {"model_name": "a", "litellm_params": {"model": "openai/x"}}
    callbacks = {"callbacks": "hooks.mask.handler"}
    config = {"model_list": [entry], "litellm_settings": callbacks}
    file.write_text(yaml.safe_dump(config), "utf-8")
    async with (
        Witness().serving([("127.0.0.1", 0)]) as witness,
        Twin.starting(
            witness, file, executable=litellm_executable, directory=tmp_path / "twin"
        ) as twin,
    ):
        assert twin.topology.find("a") is not None
    assert code.with_name("loaded").exists()


@pytest.mark.parametrize(
    ("key", "why"),
    [
        (VirtualKey("a", router_settings={"fallbacks": []}), None),
        (VirtualKey("a", models=frozenset({"paid", "local"})), None),
        (VirtualKey("a", models=frozenset({"paid"})), "the key a may not ask for local itself"),
        (VirtualKey("a", unusable="it is blocked"), "it is blocked"),
    ],
)
async def test_what_only_the_gateway_decides_of_a_key_is_no_twins(key, why):
    """A twin has no keys: it would serve where the gateway refuses."""
    async with twin_of(LOCAL) as twin:
        twin._caller = key
        found = twin.objection(planned(LOCAL, "billing", 1).scenario)
        assert found is None if why is None else found is not None and why in found.reason
