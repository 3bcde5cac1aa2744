"""Gateways on which a pass would be a lie, through a real LiteLLM: each said passed once."""

import secrets
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from aiohttp import web

from chaos.drill.events import DrillEnded
from chaos.drill.report import exit_code, row_of, summarise
from chaos.faults.fault import FaultName
from chaos.gateway.client import open_gateway
from chaos.gateway.process import running_litellm
from chaos.gateway.redirect_permission import redirect_permission
from chaos.judge.known_gaps import load
from chaos.process.ports import free_port
from chaos.rehearsal import Rehearsal, RehearsalOptions
from chaos.scenario.expand import Selection
from chaos.scenario.plan import DrillOptions
from chaos.witness.server import Witness
from tests.fakes.server import serving

pytestmark = [pytest.mark.litellm, pytest.mark.asyncio(loop_scope="module")]

USAGE = {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18}


def message_of(body):
    """A good answer to a chat: what was asked."""
    return {"role": "assistant", "content": str(body["messages"][-1]["content"])}


def without_message(body):
    """A choice that has no message."""
    choice = {"index": 0, "finish_reason": "stop"}
    return {"id": "1", "model": body["model"], "choices": [choice], "usage": USAGE}


def many_tokens(body):
    """A usage that no client library reads."""
    choice = {"index": 0, "finish_reason": "stop", "message": message_of(body)}
    usage = {**USAGE, "prompt_tokens": "many"}
    return {"id": "1", "model": body["model"], "choices": [choice], "usage": usage}


def good(body):
    """What an OpenAI server answers."""
    choice = {"index": 0, "finish_reason": "stop", "message": message_of(body)}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": body["model"],
        "choices": [choice],
        "usage": USAGE,
    }


def one_vector(body):
    """One embedding, however many texts were sent."""
    row = {"object": "embedding", "index": 0, "embedding": [0.1, 0.2, 0.3]}
    return {"object": "list", "model": body["model"], "data": [row], "usage": USAGE}


ANSWERS = {
    "without-message": without_message,
    "many-tokens": many_tokens,
    "good": good,
    "good-0": good,
    "good-1": good,
    "one-vector": one_vector,
}


SHOWN: list[tuple[str, str]] = []
"""Which model was asked with which key."""


async def upstream(request):
    """A local server whose models answer as their names say."""
    body = await request.json()
    SHOWN.append((body["model"], request.headers.get("authorization", "").removeprefix("Bearer ")))
    if body["model"] == "telltale":
        shown = request.headers["authorization"].removeprefix("Bearer ")
        message = {"message": f"{shown} may not ask", "type": "x", "param": None, "code": "400"}
        return web.json_response({"error": message}, status=400)
    if body["model"] == "dead":
        message = {"message": "EngineCore encountered an issue.", "type": "InternalServerError"}
        return web.json_response({"error": message}, status=500)
    return web.json_response(ANSWERS[body["model"]](body))


MONEY = "sk-money-0123456789abcdef"
PAID = ("money", "stranger")


def config(url, elsewhere, witness_port):
    """A gateway with a primary for each local model; spares are paid."""
    permission = {
        "configurable_clientside_auth_params": [{"api_base": redirect_permission(witness_port)}]
    }

    def group(name, model, **params):
        return {"model_name": name, "litellm_params": {"model": model, **permission, **params}}

    key = {"api_key": "sk-made-up-0123456789"}
    local = {"api_base": f"{url}/v1"}
    embeds = {"model_info": {"mode": "embedding"}}
    priced = {"model_info": {"input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6}}
    strange = {"api_key": "sk-strangers-0123456789"}
    return {
        "model_list": [
            *(group(f"claude-{n}", "anthropic/claude-sonnet-4-5", **key) for n in range(2)),
            group("gpt-vllm", "openai/gpt-4.1", **key),
            group("gpt-based", "openai/gpt-4.1", **key),
            group("gpt-good", "openai/gpt-4.1", **key),
            group("spare", "openai/gpt-4.1-mini", **key),
            group("without-message", "hosted_vllm/without-message", **local),
            group("many-tokens", "hosted_vllm/many-tokens", **local),
            group("neighbour", "hosted_vllm/good", api_base="http://vllm.invalid:8000/v1"),
            group("based", "hosted_vllm/good", base_url=f"{url}/v1"),
            group("good", "hosted_vllm/good", **local),
            group("gpt-told", "openai/gpt-4.1", **key),
            group("telltale", "hosted_vllm/telltale", **local),
            group("gpt-pair", "openai/gpt-4.1", **key),
            *(group("pair", f"hosted_vllm/good-{n}", **local) for n in range(2)),
            group("gpt-half", "openai/gpt-4.1", **key),
            *(group("half", f"hosted_vllm/{n}", num_retries=2, **local) for n in ("good", "dead")),
            group("gpt-idle", "openai/gpt-4.1", **key),
            *(group("idle", f"hosted_vllm/good-{n}", weight=n, **local) for n in range(2)),
            group("gpt-money", "openai/gpt-4.1", **key),
            {**group("money", "openai/good", **local, api_key=MONEY), **priced},
            {**group("stranger", "openai/good", api_base=f"{elsewhere}/v1", **strange), **priced},
            {**group("embed", "openai/text-embedding-3-small", **key), **embeds},
            {**group("one-vector", "hosted_vllm/one-vector", **local), **embeds},
        ],
        "router_settings": {
            "num_retries": 0,
            "fallbacks": [
                {"claude-0": ["without-message", "spare"]},
                {"claude-1": ["many-tokens", "spare"]},
                {"gpt-vllm": ["neighbour"]},
                {"gpt-based": ["based"]},
                {"gpt-good": ["good"]},
                {"gpt-told": ["telltale"]},
                {"embed": ["one-vector"]},
                {"gpt-money": ["money"]},
                {"gpt-pair": ["pair"]},
                {"gpt-half": ["half"]},
                {"gpt-idle": ["idle"]},
            ],
        },
    }


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def rehearse(litellm_executable, tmp_path_factory):
    """Drill one group of the gateway, the first hop declining its card."""
    key, port = f"sk-{secrets.token_hex(24)}", free_port()
    directory = tmp_path_factory.mktemp("passes")
    async with (
        serving(upstream) as url,
        serving(upstream) as elsewhere,
        running_litellm(
            litellm_executable, config(url, elsewhere, port), directory=directory, master_key=key
        ) as litellm,
        open_gateway(litellm.url, key=key, admin_key=key, paid=PAID) as gateway,
        Witness(f"http://127.0.0.1:{port}").serving([("127.0.0.1", port)]) as witness,
    ):

        @asynccontextmanager
        async def opened(**options):
            made = RehearsalOptions(
                injector="redirect",
                drills=DrillOptions(**options),
                budget_usd=1.0,
                paid=PAID,
            )
            async with Rehearsal.opened(gateway, made, witness=witness) as rehearsal:
                yield rehearsal

        async def run(group, shape="chat", *, depth=1, **options):
            surface = "embeddings" if shape == "embedding" else "chat_completions"
            faults = (FaultName("billing"),)
            wanted = Selection((group,), faults, (shape,), (surface,), False, depth)
            async with opened(**options) as rehearsal:
                plans = rehearsal.plan(rehearsal.scenarios(wanted))
                ended = [e.drill async for e in rehearsal.run(plans) if isinstance(e, DrillEnded)]
                (drill,) = ended
                version = rehearsal.topology.litellm_version
                row = row_of(drill, litellm_version=version, gaps=load())
                summary = summarise([row], duration_s=0.0, spent=rehearsal.spending)
            return row, exit_code(summary, [row])

        yield run


async def test_a_healthy_fallback_passes_by_the_hop_s_own_bytes(rehearse):
    """The control: everything below differs from it in one thing."""
    row, code = await rehearse("gpt-good")
    assert (row.outcome, code, row.reply.proof) == ("passed", 0, "real"), row.findings


@pytest.mark.parametrize("number", [0, 1])
async def test_a_spare_s_stand_in_does_not_pass_for_a_broken_local_hop(rehearse, number):
    """LiteLLM could not read the hop's reply and moved on; the witness answered for the spare."""
    row, code = await rehearse(f"claude-{number}")
    assert (row.outcome, row.kind, code) == ("failed", "hop_failed", 1), row.findings


async def test_a_local_engine_that_cannot_be_reached_from_here_is_never_stood_in_for(rehearse):
    """Its name has no address on this machine: inconclusive, with the way to name it."""
    row, code = await rehearse("gpt-vllm")
    assert (row.outcome, row.kind, code) == ("inconclusive", "hop_not_forwardable", 3)
    assert "--engine neighbour=" in str(row.findings[0].remedy)


async def test_a_hop_with_base_url_is_not_called_wrong_and_not_drilled_past_the_witness(rehearse):
    """LiteLLM prefers it to the redirect: the request would have gone out by itself."""
    row, code = await rehearse("gpt-based")
    assert (row.outcome, row.kind, code) == ("inconclusive", "hop_not_forwardable", 3)
    assert "base_url" in row.findings[0].message


async def test_a_key_that_a_hop_quotes_and_the_gateway_passes_on_is_a_finding(rehearse):
    """The client saw a key that was meant for the hop; nothing that is kept holds it."""
    row, code = await rehearse("gpt-told")
    assert (row.outcome, code) == ("failed", 1)
    failed = {finding.check for finding in row.findings if finding.result == "failed"}
    assert "keys_kept" in failed, row.findings
    assert "understudy-canary" not in row.model_dump_json()


async def test_one_vector_for_two_texts_hides_behind_no_known_gap(rehearse):
    """The client library's retries are a known gap; a lost embedding is not."""
    row, code = await rehearse("embed", "embedding")
    assert (row.outcome, row.known_gap, code) == ("failed", None, 1)
    assert "answer_degraded" in {finding.kind for finding in row.findings}


async def test_a_paid_hop_is_routed_and_where_a_real_answer_is_required_inconclusive(rehearse):
    """A stand-in's answer is not proof of a hop."""
    row, code = await rehearse("claude-0", depth=2)
    assert (row.outcome, row.reply.proof, code) == ("passed", "stand_in", 0)
    row, code = await rehearse("claude-0", depth=2, require_real=True)
    assert (row.outcome, row.kind, code) == ("inconclusive", "hop_not_forwardable", 3)


async def test_a_hop_of_two_deployments_passes_once_both_have_served(rehearse):
    """One request shows only one of them."""
    row, code = await rehearse("gpt-pair")
    assert (row.outcome, code) == ("passed", 0), row.findings
    assert "All 2 deployments of pair served" in row.findings[-1].message


async def test_a_dead_deployment_among_two_is_found_every_time(rehearse):
    """Retries at the other make it good, and nobody would know until that one fails too."""
    for _ in range(3):
        row, code = await rehearse("gpt-half")
        assert (row.outcome, row.kind, code) == ("failed", "hop_failed", 1), row.findings
        deciding = next(f for f in row.findings if f.kind == "hop_failed")
        assert (deciding.where, deciding.hop) == ("hop", "half")


async def test_a_deployment_that_is_never_asked_leaves_the_hop_partly_proven(rehearse):
    """It has no weight: the drill passes, and says what it has not seen."""
    row, code = await rehearse("gpt-idle")
    assert (row.outcome, code) == ("passed", 0), row.findings
    assert row.findings[-1].result == "unknown"
    assert "only partly proven" in row.findings[-1].message


async def test_a_real_key_reaches_its_own_hop_alone_though_another_looks_like_it(rehearse):
    """The canary has proven the way; the stranger is asked for the same model elsewhere."""
    SHOWN.clear()
    row, code = await rehearse("gpt-money", real_keys=True)
    assert (row.outcome, row.credentials, row.reply.proof, code) == ("passed", "real", "real", 0), (
        row.findings
    )
    assert SHOWN == [("good", MONEY)]
    assert MONEY not in row.model_dump_json()


async def test_a_paid_hop_is_not_called_without_the_permission(rehearse):
    """The stand-in answers, and no key goes anywhere."""
    SHOWN.clear()
    row, _ = await rehearse("gpt-money")
    assert (row.outcome, row.credentials, row.reply.proof) == ("passed", "canary", "stand_in")
    assert SHOWN == []
