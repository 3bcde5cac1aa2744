"""One drill, from lease to verdict, through a small honest gateway."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp
import pytest
from aiohttp import web

from chaos.drill.drill import Refusal
from chaos.drill.injectors.redirect import Redirect
from chaos.gateway.client import Gateway
from chaos.gateway.redirect_permission import LANES
from chaos.gateway.topology import ModelGroup
from chaos.judge.check import Kind, Result
from chaos.judge.verdict import Outcome
from chaos.lab.engine_flags import EngineFlags
from chaos.lab.simulated_engine import SimulatedEngine
from chaos.protocol.schema_example import find_nonce
from chaos.scenario.plan import DrillOptions
from chaos.witness.server import Witness
from chaos.witness.wire_record import AttemptOutcome
from tests.fakes.drilling import GATEWAY, OTHER, PAID, Drills, drilling, honest, scenario
from tests.fakes.gateway import FakeGateway
from tests.fakes.plans import one_scenario
from tests.fakes.server import serving
from tests.fakes.topologies import group
from tests.patience import PATIENCE_S as TTL_S
from tests.patience import slowness


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("shape", ["chat", "tool_call"])
async def test_a_fallback_that_holds_passes(shape, stream):
    """The primary was hit, the expected hop answered, and the answer has all that was asked."""
    async with drilling(honest()) as (driller, injector, _):
        drill = await driller.drill(scenario(shape=shape, stream=stream), injector)
    assert drill.verdict.outcome is Outcome.PASSED, drill.verdict.findings
    assert [(r.group, r.outcome) for r in drill.seen.wire] == [
        ("paid", AttemptOutcome.FAULTED),
        ("backup", AttemptOutcome.STOOD_IN),
    ]


async def test_a_gateway_that_never_falls_back_fails():
    """The chain exists, and no hop of it was contacted."""
    gateway = FakeGateway({"paid": ["paid", "backup"]}, falls_back=False)
    async with drilling(gateway) as (driller, injector, _):
        drill = await driller.drill(scenario(), injector)
    assert (drill.verdict.outcome, drill.verdict.kind) == (Outcome.FAILED, Kind.NEVER_TRIED)


async def test_everything_down_passes_with_one_honest_error():
    """At full depth an error is the right answer."""
    async with drilling(honest()) as (driller, injector, _):
        drill = await driller.drill(scenario(depth=2), injector)
    assert drill.verdict.outcome is Outcome.PASSED, drill.verdict.findings


def permit(injector, witness):
    """Let the little gateway permit the redirect to *witness*."""
    paid = group("paid", litellm_model="openai/paid", redirect_permission=f"^{witness.url}/lane/")
    injector.topology = replace(GATEWAY, groups={**GATEWAY.groups, "paid": paid})


@pytest.mark.parametrize(("fault", "follows"), [("stream_cut", True), ("billing", False)])
async def test_after_a_late_fault_an_ordinary_request_follows(fault, follows):
    """A reply that broke in its middle may have left the gateway's process in a bad way."""
    gateway = honest()
    async with drilling(gateway) as (driller, injector, witness):
        permit(injector, witness)
        drill = await driller.drill(scenario(fault, shape="chat", stream=True), injector)
    assert (drill.seen.after is not None) is follows
    assert len(gateway.asked) >= (2 if follows else 1)


async def test_a_gateway_that_dies_of_a_late_fault_is_told():
    """Whatever the drill's own verdict was: others are not served any more."""
    gateway = honest()
    gateway.dies_after = 1
    async with drilling(gateway) as (driller, injector, witness):
        permit(injector, witness)
        drill = await driller.drill(scenario("stream_cut", shape="chat", stream=True), injector)
    found = [f for f in drill.verdict.findings if f.check == "alive_after"]
    assert [f.kind for f in found] == [Kind.COLLATERAL]
    assert "ordinary request to paid got status 500" in found[0].message


async def test_a_gateway_that_refuses_proves_nothing():
    """The fault was not hit: inconclusive, never passed and never failed."""
    gateway = FakeGateway({"paid": ["paid"]}, refuses=401)
    async with drilling(gateway) as (driller, injector, _):
        drill = await driller.drill(scenario(), injector)
    assert drill.verdict.outcome is Outcome.INCONCLUSIVE
    assert drill.seen.wire == ()


async def test_a_hang_ends_at_the_deadline_and_frees_its_lane():
    """A gateway that waits for ever is too late, and the next drill has all lanes again."""
    async with drilling(honest(), deadline_s=0.3 * slowness()) as (driller, injector, witness):
        drill = await driller.drill(scenario("hang"), injector)
        lanes = [
            (await witness.lease(nonce=f"0000000{n}", hops=[], ttl_s=TTL_S)).lane
            for n in range(LANES)
        ]
    assert (drill.verdict.outcome, drill.verdict.kind) == (Outcome.FAILED, Kind.TOO_LATE)
    assert sorted(lanes) == list(range(LANES))


async def test_the_request_carries_a_canary_and_no_real_key():
    """No provider key leaves the gateway for the witness."""
    gateway = honest()
    async with drilling(gateway) as (driller, injector, _):
        drill = await driller.drill(scenario(), injector)
    (body,) = gateway.asked
    assert drill.plan.canary
    assert "api_key" not in body  # taken out by the gateway, for all of its hops
    assert {r.key_owner.value for r in drill.seen.wire} == {"canary"}


async def test_a_seed_replays_ids_and_never_nonces():
    """A drill is named again; what another run left on its way must not fit this one."""
    found = []
    for _ in range(2):
        async with drilling(honest()) as (driller, injector, _witness):
            drill = await driller.drill(scenario(), injector)
            found.append((drill.plan.id, drill.plan.nonce))
    (one, first), (other, second) = found
    assert one == other
    assert first != second


async def upstream_of_backup(seen):
    """A paid provider that answers, and keeps whose key came."""

    async def handle(request):
        body = await request.json()
        seen.append((request.headers["authorization"], body["model"]))
        text = f"It is {find_nonce(body['messages'][-1]['content'])}."
        choice = {"index": 0, "message": {"content": text}, "finish_reason": "stop"}
        return web.json_response({"id": "1", "model": body["model"], "choices": [choice]})

    return handle


@asynccontextmanager
async def paying(seen, gateway=None, *, strangers=(), **options):
    """Drills with real keys allowed, and a paid hop that must serve at a real address.

    Groups called *strangers*, outside the chain, ask for the same model at another address.
    """
    async with serving(await upstream_of_backup(seen)) as url:
        backup = group("backup", litellm_model="openai/backup", base_url=f"{url}/v1", local=False)
        elsewhere = {
            name: group(name, litellm_model="openai/backup", base_url="https://else.example/v1")
            for name in strangers
        }
        known = replace(GATEWAY, groups={**GATEWAY.groups, "backup": backup, **elsewhere})
        async with (
            Witness().serving([("127.0.0.1", 0)]) as witness,
            aiohttp.ClientSession() as session,
            (gateway or honest()).running() as gateway_url,
        ):
            injector = Redirect(
                witness,
                known,
                gateway=Gateway(session, gateway_url, key="k", admin_key="k"),
                real_keys=True,
            )
            yield Drills(session, DrillOptions(real_keys=True, **options)), injector


async def test_real_keys_are_used_only_after_a_canary_has_arrived():
    """The first request of a chain carries the canary and is answered by a stand-in."""
    seen: list[tuple[str, str]] = []
    async with paying(seen) as (driller, injector):
        drill = await driller.drill(scenario(shape="chat"), injector)
    assert drill.verdict.outcome is Outcome.PASSED, drill.verdict.findings
    assert (drill.requests, drill.plan.canary) == (2, False)
    assert seen == [("Bearer sk-real-one", "backup")]
    assert "sk-real-one" not in repr(drill)


async def test_real_keys_are_not_used_where_the_canary_came_through_a_proxy(monkeypatch):
    """With a proxy in the way, real keys would travel through it."""
    seen: list[tuple[str, str]] = []
    async with paying(seen) as (driller, injector):
        monkeypatch.setattr(injector, "distrust", lambda plan: "a proxy is in the way")
        drill = await driller.drill(scenario(shape="chat"), injector)
    assert drill.plan.canary
    assert drill.verdict.outcome is Outcome.INCONCLUSIVE
    assert drill.verdict.kind is Kind.HOP_NOT_FORWARDABLE
    assert "a proxy is in the way" in drill.verdict.deciding.message
    assert seen == []


async def test_a_key_follows_only_the_canary_of_its_own_way():
    """Another expected hop, or another surface, is another way."""
    seen: list[tuple[str, str]] = []
    async with paying(seen) as (driller, injector):
        cautious = replace(driller, options=DrillOptions())
        drill = await cautious.drill(scenario(shape="chat"), injector)
        assert injector.distrust(drill.plan) is None
        deeper = replace(drill.plan, scenario=replace(drill.plan.scenario, depth=2))
        assert "no canary" in injector.distrust(deeper)
        elsewhere = replace(drill.plan, scenario=replace(drill.plan.scenario, surface="messages"))
        assert "no canary" in injector.distrust(elsewhere)


async def test_a_real_key_that_an_error_quotes_is_a_finding_and_is_not_kept():
    """With everything down the client gets an error, and the error names the provider's key."""
    seen: list[tuple[str, str]] = []
    gateway = replace(honest(), quotes_key=True)
    async with paying(seen, gateway) as (driller, injector):
        for depth in (1, 2):
            drill = await driller.drill(scenario(shape="chat", depth=depth), injector)
            assert drill.verdict.outcome is Outcome.FAILED
            assert [f.check for f in drill.verdict.findings if f.result is Result.FAILED] == [
                "keys_kept"
            ]
            assert "sk-real-one" not in repr(drill)


async def test_a_look_alike_outside_the_chain_is_told_apart_by_the_deployments_id():
    """On the wire both ask for the same model; the gateway said which of them it asked."""
    seen: list[tuple[str, str]] = []
    gateway = replace(honest(), names=True)
    async with paying(seen, gateway, strangers=("stranger",)) as (driller, injector):
        drill = await driller.drill(scenario(shape="chat"), injector)
    assert drill.verdict.outcome is Outcome.PASSED, drill.verdict.findings
    assert (drill.plan.canary, len(seen)) == (False, 1)


async def test_a_look_alike_that_nobody_tells_apart_gets_no_key():
    """Its key could go to another provider, so none goes anywhere."""
    seen: list[tuple[str, str]] = []
    unnamed = replace(honest(), claims="an alias of somebody's")
    async with paying(seen, unnamed, strangers=("stranger",)) as (driller, injector):
        drill = await driller.drill(scenario(shape="chat"), injector)
    assert drill.verdict.kind is Kind.HOP_NOT_FORWARDABLE
    assert "stranger looks like backup" in drill.verdict.deciding.message
    assert (drill.plan.canary, seen) == (True, [])


async def test_a_canary_that_came_through_a_proxy_is_not_trusted():
    """What a later canary shows takes the trust in an earlier one back."""
    seen: list[tuple[str, str]] = []
    async with paying(seen) as (driller, injector):
        cautious = replace(driller, options=DrillOptions())
        drill = await cautious.drill(scenario(shape="chat"), injector)
        proxied = tuple(replace(record, via_proxy=True) for record in drill.seen.wire)
        injector.learn(drill.plan, replace(drill.seen, wire=proxied))
        assert "proxy" in injector.distrust(drill.plan)


async def test_a_drill_that_raises_says_where_and_never_what(monkeypatch, caplog):
    """It is aborted with the place of its error, which may quote a key and is not repeated."""
    secret = "sk-" + "secret"

    def broken(*_, **__):
        raise ValueError(f"bad header {secret}")

    async with drilling(honest()) as (driller, injector, witness):
        monkeypatch.setattr("chaos.drill.requests.asking.ask", broken)
        drill = await driller.drill(scenario(), injector)
        assert witness._live == {}
    assert (drill.verdict.outcome, drill.requests) == (Outcome.ABORTED, 1)
    (finding,) = drill.verdict.findings
    assert "ValueError at test_driller.py" in finding.message
    assert drill.plan.scenario.key in caplog.text
    assert secret not in caplog.text + finding.message


async def test_what_was_faulted_is_put_right_also_when_the_drill_is_stopped():
    """A gateway with metrics gets one success for each faulted deployment, on a lane of ours."""
    gateway = honest()
    async with drilling(gateway) as (driller, injector, witness):
        injector._has_metrics = True
        drill = await driller.drill(scenario(), injector)
        assert [body["model"] for body in gateway.asked] == ["paid", "paid"]
        assert drill.requests == 2  # what puts the lane right is a request like any other

        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(driller.drill(scenario(fault="hang"), injector))
            while not any(lease.attempts_at("paid") for lease in witness._live.values()):
                await asyncio.sleep(0)
            running.cancel()
        stopped = running.result()
        assert [record.group for record in stopped.seen.wire] == ["paid"]
        assert (stopped.verdict.outcome, stopped.requests) == (Outcome.ABORTED, 2)
        assert [body["model"] for body in gateway.asked] == ["paid"] * 4
        assert witness._live == {}
        assert witness.counts.strays == 0


async def lanes_of(driller, injector, witness, scenario):
    """Run a drill; tell lane, group and outcome of every attempt, those that settle too."""
    ended = []
    release = witness._release

    def note(lease):
        ended.append(lease)
        release(lease)

    witness._release = note
    await driller.drill(scenario, injector)
    leases = dict.fromkeys(ended)
    return [(lease.lane, r.deployment, r.outcome) for lease in leases for r in lease.records()]


async def test_what_was_faulted_is_put_right_on_its_own_lane():
    """Every lane is a deployment of its own to the gateway."""
    async with drilling(honest()) as (driller, injector, witness):
        injector._has_metrics = True
        made = await lanes_of(driller, injector, witness, scenario())
    assert [outcome for _, _, outcome in made] == [
        AttemptOutcome.FAULTED,
        AttemptOutcome.STOOD_IN,
        AttemptOutcome.STOOD_IN,
    ]
    assert len({lane for lane, _, _ in made}) == 1


class TwoDeployments(FakeGateway):
    """A gateway whose group has two deployments, asked in turn."""

    async def _one(self, request, url, body, key):
        if body["model"] == "paid":
            body = {**body, "model": ("paid", "paid", "other")[len(self.asked) % 3]}
        return await super()._one(request, url, body, key)


async def test_a_group_is_asked_until_each_faulted_deployment_was_seen():
    """The gateway chooses the deployment, not we."""
    two = ModelGroup("paid", (*PAID.deployments, OTHER))
    gateway = TwoDeployments({"paid": ["paid", "backup"]})
    async with drilling(gateway) as (driller, injector, witness):
        injector._has_metrics = True
        injector.topology = replace(GATEWAY, groups={**GATEWAY.groups, "paid": two})
        gateway.asked.append({})
        made = await lanes_of(driller, injector, witness, scenario())
    faulted = [deployment for _, deployment, outcome in made if outcome is AttemptOutcome.FAULTED]
    settled = [d for _, d, outcome in made[2:] if outcome is AttemptOutcome.STOOD_IN]
    assert faulted == ["other-id"]
    assert settled == ["paid-id", "paid-id", "other-id"]


async def test_a_twin_is_not_asked_what_others_felt():
    """Nobody else is there, and the running gateway's changes are not a twin's doing."""

    class Changed:
        async def after_drill(self):
            return ("deployment x appeared",)

    async with drilling(honest()) as (driller, injector, _):
        watched = replace(driller, collateral=Changed())
        assert (await watched.drill(scenario(), injector)).verdict.kind is Kind.COLLATERAL
        injector.touches_others = False
        assert (await watched.drill(scenario(), injector)).verdict.outcome is Outcome.PASSED


async def test_a_stop_after_the_reply_puts_right_what_was_faulted():
    """Whatever the drill was doing, the lane is left as it was."""
    gateway = honest()
    async with drilling(gateway) as (driller, injector, witness):
        injector._has_metrics = True
        came = asyncio.Event()

        class Slow:
            async def after_drill(self):
                came.set()
                await asyncio.Event().wait()

        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(
                replace(driller, collateral=Slow()).drill(scenario(), injector)
            )
            await came.wait()
            running.cancel()
        assert [body["model"] for body in gateway.asked] == ["paid", "paid"]
        assert witness._live == {}


async def test_no_key_of_ours_is_in_a_drill():
    """Gateways quote the key that they turn away; the admin's may be repeated too."""

    async def gateway(request):
        said = f"key {request.headers['authorization']} and sk-admin-key are not known"
        return web.json_response({"error": {"message": said}}, status=401)

    async with drilling(honest()) as (driller, injector, _), serving(gateway) as url:
        injector._url = url
        careful = replace(driller, secrets=frozenset({"sk-admin-key"}))
        drill = await careful.drill(scenario(), injector)
    assert "sk-drill" not in repr(drill)
    assert "sk-admin-key" not in repr(drill)
    assert drill.seen.reply.reading.error is not None


async def forgetful(request):
    """An engine that calls no tool."""
    body = await request.json()
    choice = {"index": 0, "message": {"content": "No."}, "finish_reason": "stop"}
    return web.json_response({"id": "1", "model": body["model"], "choices": [choice]})


@asynccontextmanager
async def unreliable(**changes):
    """Drills against a local hop that calls no tool."""
    async with serving(forgetful) as engine:
        local = group(
            "backup", litellm_model="hosted_vllm/backup", base_url=f"{engine}/v1", **changes
        )
        served = FakeGateway({"paid": ["paid", "backup"], "backup": ["backup"]})
        async with drilling(served) as (driller, injector, witness):
            permission = f"^{witness.url}/lane/"
            primary = group("paid", litellm_model="openai/paid", redirect_permission=permission)
            if local.deployments[0].redirect_permission is not None:
                local = replace(
                    local,
                    deployments=(replace(local.deployments[0], redirect_permission=permission),),
                )
            injector.topology = replace(GATEWAY, groups={"paid": primary, "backup": local})
            yield driller, injector, served


async def test_direct_samples_have_nonces_of_their_own():
    """A cache would answer the second of two requests that are the same."""
    async with unreliable() as (driller, injector, gateway):
        drill = await driller.drill(scenario(), injector)
    assert (drill.requests, len(drill.seen.direct)) == (4, 3)
    assert drill.verdict.kind is Kind.TOOL_CALL_MISSING
    groups = [(plan.nonce, record.group) for plan, record in drill.wire]
    assert [group for _, group in groups] == ["paid", "backup", "backup", "backup", "backup"]
    assert len({nonce for nonce, _ in groups}) == 4
    assert len({str(body["messages"]) for body in gateway.asked}) == 4


async def test_a_hop_that_may_not_be_redirected_is_not_sampled():
    """Asking it would be a refused redirect, with a traceback in the gateway's log."""
    async with unreliable(redirect_permission=None) as (driller, injector, gateway):
        drill = await driller.drill(scenario(), injector)
    assert (drill.requests, drill.verdict.kind) == (1, Kind.MODEL_UNRELIABLE)
    assert [body["model"] for body in gateway.asked] == ["paid"]


async def test_the_guard_is_asked_before_each_sample():
    """Users who have come meanwhile do not wait for our curiosity."""
    asked = []

    async def may_sample(of):
        asked.append(of.scenario.group)
        return "users wait" if len(asked) > 1 else None

    async with unreliable() as (driller, injector, _):
        drill = await replace(driller, may_sample=may_sample).drill(scenario(), injector)
    assert (asked, drill.requests, len(drill.seen.direct)) == (["backup", "backup"], 2, 1)


@pytest.mark.parametrize(
    ("most_still_s", "outcome"), [(-1.0, Outcome.ABORTED), (TTL_S, Outcome.FAILED)]
)
async def test_a_failure_while_the_process_stood_still_is_taken_back(
    monkeypatch: pytest.MonkeyPatch, most_still_s, outcome
):
    """It says why, and keeps what was seen; without a standstill a failure is one."""
    monkeypatch.setattr("chaos.drill.driller.MOST_STILL_S", most_still_s)
    gateway = FakeGateway({"paid": ["paid", "backup"]}, falls_back=False)
    async with drilling(gateway) as (driller, injector, _):
        drill = await driller.drill(scenario(), injector)
    assert drill.verdict.outcome is outcome
    assert [record.group for record in drill.seen.wire] == ["paid"]
    assert (drill.seen.aborted is not None) == (outcome is Outcome.ABORTED)


@asynccontextmanager
async def only_chatting(*, model="backup", **changes):
    """Drills on the Responses API against a local engine that does not have it."""
    flags = EngineFlags(only_chats=True, served_model_names=(model,))
    async with SimulatedEngine(flags) as engine:
        served = FakeGateway({"paid": ["paid", "backup"], "backup": ["backup"]})
        async with drilling(served) as (driller, injector, witness):
            made = {"redirect_permission": f"^{witness.url}/lane/", **changes}
            local = group(
                "backup", litellm_model="hosted_vllm/backup", base_url=engine.base_url, **made
            )
            primary = replace(PAID, deployments=(replace(PAID.deployments[0], **made),))
            injector.topology = replace(GATEWAY, groups={"paid": primary, "backup": local})
            yield driller, injector, engine


def on_responses():
    """A chat on the Responses API."""
    return one_scenario(GATEWAY, "paid", "billing", "chat", surface="responses")


async def test_a_hop_without_the_endpoint_is_asked_on_chat_completions():
    """Once, and the finding says what it said there."""
    async with only_chatting() as (driller, injector, engine):
        drill = await driller.drill(on_responses(), injector)
        asked = [request.path for request in engine.seen]
    assert drill.verdict.kind is Kind.HOP_FAILED
    assert drill.verdict.deciding is not None
    assert "on chat completions the same hop answers well" in drill.verdict.deciding.message
    assert asked == ["/v1/chat/completions"]
    assert (drill.requests, len(drill.seen.on_chat)) == (2, 1)
    assert drill.plan.scenario.surface == "responses"


async def test_a_hop_that_fails_there_too_is_said_to():
    """It is the address or the model, and not the endpoint."""
    async with only_chatting(model="another") as (driller, injector, _):
        drill = await driller.drill(on_responses(), injector)
    assert drill.verdict.deciding is not None
    assert "it fails there, too" in drill.verdict.deciding.message


async def test_a_guard_may_keep_a_hop_from_being_asked_on_chat_completions():
    """Like any direct sample."""

    async def never(_):
        return Refusal(Kind.ENGINE_BUSY, "users wait", "Wait.")

    async with only_chatting() as (driller, injector, engine):
        drill = await replace(driller, may_sample=never).drill(on_responses(), injector)
    assert (drill.requests, drill.seen.on_chat, len(engine.seen)) == (1, (), 0)
    assert drill.verdict.deciding is not None
    assert "--surface chat_completions" in (drill.verdict.deciding.remedy or "")
