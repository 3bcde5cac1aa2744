"""LiteLLM's own semantics of lists, nesting and depth: the topology against the running proxy."""

import secrets

import pytest

from chaos.faults.fault import FaultName
from chaos.gateway.client import open_gateway
from chaos.gateway.process import running_litellm
from chaos.gateway.redirect_permission import redirect_permission
from chaos.judge.check import Kind
from chaos.process.ports import free_port
from chaos.scenario.expand import Selection
from supervisor.campaign.request import DrillRequest
from supervisor.campaign.run import run_drills
from supervisor.settings.model import DrillSettings, GatewaySettings, Settings, WitnessSettings
from tests.patience import PATIENCE_S

FALLBACKS = [
    {"flat": ["a", "b", "c", "d", "e", "f", "g"]},
    {"nested": ["n1"]},
    *({f"n{i}": [f"n{i + 1}"]} for i in range(1, 8)),
    {"deep": ["p", "q"]},
    {"p": ["r"]},
    {"typo": ["nowhere", "a"]},
]
"""Flat lists are walked whole, nested ones to the fifth hop, and depth comes before breadth."""

EXPECTED = {
    "flat": ("flat", "a", "b", "c", "d", "e", "f", "g"),
    "nested": ("nested", "n1", "n2", "n3", "n4", "n5"),
    "deep": ("deep", "p", "r", "q"),
    "typo": ("typo", "a"),
}


def config(witness_port):
    """One deployment for each name; nobody is ever forwarded to."""
    names = dict.fromkeys(
        [*EXPECTED, *(hop for hops in EXPECTED.values() for hop in hops), "n6", "n7", "n8"]
    )
    return {
        "model_list": [
            {
                "model_name": name,
                "litellm_params": {
                    "model": f"openai/up-{name}",
                    "api_base": "http://127.0.0.1:9/v1",
                    "api_key": "sk-made-up",
                    "configurable_clientside_auth_params": [
                        {"api_base": redirect_permission(witness_port)}
                    ],
                },
            }
            for name in names
        ],
        "router_settings": {"num_retries": 0, "fallbacks": FALLBACKS},
    }


@pytest.mark.litellm
async def test_every_hop_of_the_topology_is_contacted_and_no_other(litellm_executable, tmp_path):
    """With everything down LiteLLM asks exactly the hops that we say it would."""
    key, port = f"sk-{secrets.token_hex(24)}", free_port()
    settings = Settings(
        gateway=GatewaySettings(url="http://unused"),
        witness=WitnessSettings(listen=(f"127.0.0.1:{port}",), url=f"http://127.0.0.1:{port}"),
        drills=DrillSettings(deadline_s=PATIENCE_S, concurrency=4),
    )
    async with (
        running_litellm(
            litellm_executable, config(port), directory=tmp_path, master_key=key
        ) as running,
        open_gateway(running.url, key=key, admin_key=key) as gateway,
    ):
        topology = await gateway.topology()
        chains = {name: topology.chain(name).hops for name in EXPECTED}
        contacted, kinds = {}, {}
        for name in EXPECTED:
            everything = len(topology.chain(name).meant)
            selection = Selection(
                (name,),
                (FaultName("server_error"),),
                ("chat",),
                ("chat_completions",),
                False,
                everything,
            )
            (row,) = (await run_drills(gateway, settings, DrillRequest(selection))).drills
            contacted[name] = {hop.group for hop in row.hops if hop.attempts}
            kinds[name] = row.kind
    assert chains == EXPECTED
    assert contacted == {name: set(hops) for name, hops in EXPECTED.items()}
    # What the configuration names and LiteLLM does not walk is a failure of the chain.
    skipped = Kind.HOP_SKIPPED
    assert kinds == {"flat": None, "nested": skipped, "deep": None, "typo": skipped}
    assert topology.chain("typo").missing == ("nowhere",)
    assert topology.chain("nested").cut == ("n6", "n7", "n8")
