"""A gateway that is slower than the drills' deadline, through a real LiteLLM: it is left alone."""

import secrets
from collections import Counter
from contextlib import asynccontextmanager

import pytest

from chaos.drill import pace
from chaos.drill.events import CampaignEnded, DrillEnded
from chaos.gateway.client import open_gateway
from chaos.gateway.process import running_litellm
from chaos.gateway.redirect_permission import redirect_permission
from chaos.lab.simulated_engine import SimulatedEngine
from chaos.process.ports import free_port
from chaos.rehearsal import Rehearsal, RehearsalOptions
from chaos.scenario.expand import Profile, Selection
from chaos.scenario.plan import DrillOptions
from chaos.witness.server import Witness

pytestmark = [pytest.mark.litellm, pytest.mark.asyncio]

HOOKS = '''
"""A gateway whose every request waits: for its database, its guardrail, its users."""

import asyncio

from litellm.integrations.custom_logger import CustomLogger


class Waiting(CustomLogger):
    async def async_pre_call_hook(self, user_api_key_dict, cache, data, call_type):
        await asyncio.sleep(1)
        return data


waiting = Waiting()
'''


def config(engine_url, witness_port):
    """A primary that falls back to a local engine, behind a hook that takes a second."""
    permission = {
        "configurable_clientside_auth_params": [{"api_base": redirect_permission(witness_port)}]
    }
    gemma = {"model": "hosted_vllm/google/gemma-4-26B-A4B-it", "api_base": engine_url}
    claude = {"model": "anthropic/claude-sonnet-4-5", "api_key": "sk-made-up-0123456789"}
    return {
        "model_list": [
            {"model_name": "claude", "litellm_params": {**claude, **permission}},
            {"model_name": "gemma", "litellm_params": {**gemma, **permission}},
        ],
        "router_settings": {"num_retries": 0, "fallbacks": [{"claude": ["gemma"]}]},
        "litellm_settings": {"callbacks": ["hooks.waiting"]},
    }


@asynccontextmanager
async def busy(executable, directory, said, **drills):
    """Open a rehearsal of the slow gateway."""
    (directory / "hooks.py").write_text(HOOKS)
    key, port = f"sk-{secrets.token_hex(24)}", free_port()
    async with (
        SimulatedEngine() as engine,
        running_litellm(
            executable, config(engine.base_url, port), directory=directory, master_key=key
        ) as litellm,
        open_gateway(litellm.url, key=key, admin_key=key) as gateway,
        Witness(f"http://127.0.0.1:{port}").serving([("127.0.0.1", port)]) as witness,
        Rehearsal.opened(
            gateway,
            RehearsalOptions(injector="redirect", concurrency=4, drills=DrillOptions(**drills)),
            witness=witness,
            say=said.append,
        ) as rehearsal,
    ):
        yield rehearsal


async def test_a_gateway_slower_than_the_deadline_is_left_alone(
    litellm_executable, tmp_path, monkeypatch
):
    """A hundred drills are asked for; after a few, a pause and a few more, none is sent."""
    monkeypatch.setattr(pace, "PAUSE_S", 0.1)
    said: list[str] = []
    async with busy(litellm_executable, tmp_path, said, deadline_s=0.3) as rehearsal:
        wanted = Selection(("claude",), shapes=("chat", "tool_call"), profile=Profile.EXHAUSTIVE)
        plans = rehearsal.plan(rehearsal.scenarios(wanted))[:100]
        events = [event async for event in rehearsal.run(plans)]
    drills = [event.drill for event in events if isinstance(event, DrillEnded)]
    kinds = Counter(drill.verdict.kind for drill in drills)
    assert kinds == {"gateway_busy": 100}, kinds
    # Those that run together when the limit is reached come on top.
    assert sum(drill.requests for drill in drills) <= 2 * pace.FEW + 2 * 4
    end = events[-1]
    assert isinstance(end, CampaignEnded)
    assert end.late > 0
    assert any("longer than the deadline" in sentence for sentence in said), said
    assert any("pausing" in sentence for sentence in said), said
