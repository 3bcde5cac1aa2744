"""A look at an engine, from real servers: well, broken, and talking nonsense."""

import asyncio
import contextlib
import itertools
from dataclasses import replace

import pytest

from chaos.lab.engine_flags import GEMMA, EngineFlags
from chaos.lab.simulated_engine import SimulatedEngine
from chaos.process.ports import free_port
from supervisor.engine.facts import EngineFacts
from supervisor.probes.depths.look import Depth, lines_of
from supervisor.probes.depths.seen import Limits
from supervisor.probes.depths.steps import PROVES
from supervisor.probes.probe import Outcome, State
from tests.fakes.engine_looks import METRICS, MODELS, WELL, answers, as_json, look, look_at, page
from tests.fakes.server import serving
from tests.patience import PATIENCE_S, slowness

SLOWNESS = slowness()
QUICK = Limits(answer_s=0.3 * SLOWNESS, first_token_s=0.3 * SLOWNESS, slow_s=0.25 * SLOWNESS)


def found(reading):
    """What each step found, by name."""
    return {step.name: step.found for step in reading.steps}


# --- engines that are well, or not -------------------------------------------------------


async def test_a_good_engine_is_up_at_every_depth():
    """However deep one looks, a good engine is up, and its facts are learnt."""
    readings = [await look_at(depth=depth) for depth in Depth]
    assert {reading.state for reading in readings} == {State.UP}
    reading = readings[-1]
    assert reading.facts.version == "0.32.0"
    assert reading.facts.auto_tools is True
    assert reading.facts.has_tool_parser is True
    assert reading.facts.has_reasoning_parser is True
    assert reading.facts.tool_formats == ("gemma4",)
    assert reading.facts.reasoning_formats == ("gemma4",)
    assert reading.facts.fingerprint.startswith("vllm-0.32.0-")
    assert reading.facts.started_at_s


async def test_every_step_says_what_it_proves():
    """No step is without what it proves, and none proves that users are served."""
    reading = await look_at(depth=Depth.PARSERS)
    assert [step.name for step in reading.steps] == [*PROVES]
    assert all(step.proves == PROVES[step.name] for step in reading.steps)
    assert len(list(lines_of(reading))) == 1 + len(reading.steps)


async def test_shallow_looks_send_no_request_to_the_model():
    """Up to the flags of tools nothing is generated, and the state says so."""
    async with SimulatedEngine() as engine:
        reading = await look(engine.base_url, asked_for=(GEMMA,), depth=Depth.TOOLS)
        assert [seen.status for seen in engine.seen] == [400]
    assert "was not asked" in reading.reason


@pytest.mark.parametrize(
    ("changes", "auto", "parser"),
    [
        ({"enable_auto_tool_choice": False, "tool_call_parser": None}, False, False),
        ({"enable_auto_tool_choice": False}, False, True),
    ],
    ids=["no flags", "only the parser"],
)
async def test_missing_tool_flags_are_found_without_a_token(changes, auto, parser):
    """The flags are told apart: a parser alone is not enough."""
    reading = await look_at(replace(EngineFlags(), **changes), depth=Depth.TOOLS)
    assert reading.facts.auto_tools is auto
    assert reading.facts.has_tool_parser is parser
    assert "flags are missing" in found(reading)["tools"]


async def test_an_engine_that_stands_still_is_hung_though_its_health_is_green():
    """No token, no step, green health: hung, never slow and never up."""
    reading = await look_at(EngineFlags(hung=True), limits=QUICK)
    assert reading.state is State.HUNG
    assert "health: status 200" in reading.reason
    assert found(reading)["generation"].endswith("meanwhile the engine made no step")


async def test_an_engine_that_hangs_is_not_found_by_looking_less_deep():
    """Without a request of one token nothing tells a hung engine from an idle one."""
    reading = await look_at(EngineFlags(hung=True), limits=QUICK, depth=Depth.METRICS)
    assert reading.state is State.UP
    assert "was not asked" in reading.reason


async def test_nobody_at_the_address_is_down():
    """A refused connection is down, and nothing more is asked."""
    reading = await look(f"http://127.0.0.1:{free_port()}/v1")
    assert reading.state is State.DOWN
    assert [step.name for step in reading.steps] == ["health"]


async def test_a_slow_engine_is_slow():
    """A token that comes late, but comes, is slow."""
    flags = EngineFlags(first_token_after_s=0.3)
    limits = Limits(answer_s=PATIENCE_S, first_token_s=PATIENCE_S, slow_s=0.2)
    reading = await look_at(flags, limits=limits)
    assert reading.state is State.SLOW


async def test_another_name_than_the_gateway_asks_for_is_drift():
    """An engine that works, under a name that nobody asks for, is not up."""
    reading = await look_at(EngineFlags(served_model_names=("gemma",)))
    assert reading.state is State.DRIFTED
    assert f"the gateway asks for {GEMMA}, and it serves gemma" in reading.reason


async def test_what_changed_since_the_last_look_is_drift():
    """A shorter context is told, against what was handed in as seen before."""
    before = (await look_at()).facts
    reading = await look_at(EngineFlags(max_model_len=8_192), previous=before)
    assert reading.state is State.DRIFTED
    assert "was 65,536 tokens and is 8,192" in reading.reason


async def test_a_restart_alone_is_no_drift():
    """The same engine started anew is up."""
    before = (await look_at(depth=Depth.PARSERS)).facts
    reading = await look_at(depth=Depth.PARSERS, previous=replace(before, started_at_s=1.0))
    assert reading.state is State.UP


async def test_a_parser_changed_behind_everybodys_back_is_drift():
    """The deepest look tells a changed parser, which the fingerprint does not."""
    before = (await look_at(depth=Depth.PARSERS)).facts
    reading = await look_at(
        EngineFlags(tool_call_parser="hermes"), depth=Depth.PARSERS, previous=before
    )
    assert reading.facts.fingerprint == before.fingerprint
    assert reading.state is State.DRIFTED
    assert "was gemma4 and is hermes" in reading.reason


# --- keys ------------------------------------------------------------------------------


async def test_an_engine_that_wants_a_key_says_so():
    """401 below /v1 alone is told as what it is, not as down and not as up."""
    reading = await look_at(EngineFlags(api_key="sk-made-up"))
    assert reading.state is State.UNKNOWN
    assert "wants a key" in reading.reason


async def test_an_engine_with_its_key_is_up():
    """With its key everything can be asked."""
    reading = await look_at(EngineFlags(api_key="sk-made-up"), key="sk-made-up")
    assert reading.state is State.UP
    assert "sk-made-up" not in "".join(lines_of(reading)) + repr(reading.facts)


# --- nonsense --------------------------------------------------------------------------


DEAD_ENGINE = '{"error": {"message": "EngineCore encountered an issue. See stack trace (above)"}}'
NOT_A_NUMBER = METRICS.replace("7", "NaN").replace("waiting 0", "waiting NaN")
RENAMED = METRICS.replace("iteration_tokens", "scheduler_steps")


async def test_the_fake_itself_is_up():
    """What the broken ones below differ from is well, so it is the difference that is found."""
    async with serving(answers(**WELL)) as url:
        assert (await look(url, asked_for=(GEMMA,))).state is State.UP


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"v1models": page()}, "a page of HTML"),
        ({name: page() for name in WELL}, "a page of HTML"),
        ({"v1models": (200, '{"data": [{"id": "go', "application/json")}, "broken JSON"),
        ({"v1models": as_json({"detail": "hello"})}, "not return a list of models"),
        ({"v1models": (200, "", "text/plain")}, "not return a list of models"),
        ({"v1models": (200, "[" * 2000, "application/json")}, "not return a list of models"),
        ({"metrics": page()}, "not vLLM's"),
        ({"metrics": (200, RENAMED, "text/plain")}, "names them otherwise"),
        ({"metrics": (500, "", "text/plain")}, "status 500"),
        ({"v1chatcompletions": (404, "{}", "application/json")}, "refuses a request"),
        ({"v1chatcompletions": (400, '{"error": {"message": "no"}}', "text/plain")}, "no"),
        ({"v1chatcompletions": (500, '{"error": {"message": "bad"}}', "text/plain")}, "bad"),
        ({"v1chatcompletions": page()}, "no reply of a model"),
        ({"v1chatcompletions": (200, '{"choices": [', "application/json")}, "no reply of a model"),
        ({"v1chatcompletions": (200, "", "text/plain")}, "no reply of a model"),
        ({"v1chatcompletions": as_json({"choices": []})}, "no reply of a model"),
        ({"v1chatcompletions": as_json({"error": {"message": "inside"}})}, "inside"),
        ({"v1models": as_json({"data": []})}, "is empty"),
        ({"metrics": (200, NOT_A_NUMBER, "text/plain")}, "no heartbeat"),
    ],
    ids=itertools.count(),
)
async def test_nonsense_is_unknown_with_its_reason(changed, says):
    """An engine that answers something else than vLLM does is never up, and the reason says why."""
    async with serving(answers(**{**WELL, **changed})) as url:
        reading = await look(url, asked_for=(GEMMA,), depth=Depth.PARSERS, limits=QUICK)
    assert reading.state is State.UNKNOWN, reading.reason
    assert says in reading.reason


async def test_an_engine_that_takes_connections_and_says_nothing_is_unknown():
    """Silence on everything is told as silence; it is not enough to call it down."""

    async def silent(_):
        await asyncio.Event().wait()

    async with serving(silent) as url:
        reading = await look(url, limits=QUICK, depth=Depth.PARSERS)
    assert reading.state is State.UNKNOWN
    assert "answers nothing" in reading.reason


async def test_one_that_hangs_up_is_unknown():
    """A port that closes every connection is no vLLM, and no crash of ours."""

    def hang_up(_, writer):
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        reading = await look(url, limits=QUICK)
    assert reading.state is State.UNKNOWN


async def test_a_slow_health_alone_is_never_down():
    """Where only /health is silent, the engine is slow."""

    async def never():
        await asyncio.Event().wait()

    async with serving(answers(**{**WELL, "health": never})) as url:
        reading = await look(url, asked_for=(GEMMA,), limits=QUICK)
    assert reading.state is State.SLOW
    assert "/health" in reading.reason


@pytest.mark.parametrize(
    "changed",
    [
        {"health": (503, "", "text/plain")},
        {"v1chatcompletions": (500, DEAD_ENGINE, "application/json")},
    ],
    ids=["health 503", "chat 500"],
)
async def test_a_dead_engine_behind_a_living_server_is_down(changed):
    """What answers HTTP says that its engine died: down, though models and metrics answer."""
    async with serving(answers(**{**WELL, **changed})) as url:
        reading = await look(url, asked_for=(GEMMA,), limits=QUICK)
    assert reading.state is State.DOWN


async def test_silent_metrics_alone_leave_it_slow():
    """An engine that generates, and whose metrics say nothing in time, is not wholly up."""

    async def never():
        await asyncio.Event().wait()

    async with serving(answers(**{**WELL, "metrics": never})) as url:
        reading = await look(url, asked_for=(GEMMA,), limits=QUICK)
    assert reading.state is State.SLOW
    assert "/metrics" in reading.reason


async def test_an_engine_that_does_not_list_its_models_is_asked_for_a_token_all_the_same():
    """A list that does not come hides no engine that hangs."""

    async def never():
        await asyncio.Event().wait()

    changed = {"v1models": never, "v1chatcompletions": never}
    async with serving(answers(**{**WELL, **changed})) as url:
        reading = await look(url, asked_for=(GEMMA,), limits=QUICK)
    assert reading.state is State.HUNG


@pytest.mark.parametrize("address", ["http://127.0.0.1:99999", "http://[::1", "", "x", "http://"])
async def test_an_address_that_is_none_is_no_crash(address):
    """What no URL can be is told like everything else."""
    reading = await look(address, limits=QUICK)
    assert reading.state is State.UNKNOWN


async def test_a_page_in_place_of_its_health_is_not_up():
    """The shallowest look, too, tells a web page from an engine."""
    async with serving(answers(health=page())) as url:
        reading = await look(url, depth=Depth.HEALTH)
    assert reading.state is State.UNKNOWN


async def test_a_name_that_others_know_is_not_down():
    """A host without an address here is told in its facts, as the audits read them."""
    reading = await look("http://gpu.invalid:8000/v1")
    assert (reading.state, reading.facts.foreign_name) == (State.UNKNOWN, True)
    assert [step.name for step in reading.steps] == ["health"]


def queue(steps):
    """Metrics of an engine in which users wait; *steps* are its heartbeat, ask for ask."""

    async def metrics():
        text = f"vllm:iteration_tokens_total_count {next(steps)}\nvllm:num_requests_waiting 3\n"
        return 200, text, "text/plain"

    return {**WELL, "metrics": metrics}


async def test_a_queue_that_moves_is_busy_without_a_token_asked():
    """Users wait and the heartbeat goes on."""
    async with serving(answers(**queue(itertools.count()))) as url:
        reading = await look(url, depth=Depth.METRICS, limits=QUICK)
    assert reading.state is State.BUSY


async def test_a_queue_that_stands_still_is_not_called_busy():
    """Busy is who makes progress; who was seen to make none may hang."""
    async with serving(answers(**queue(itertools.repeat(7)))) as url:
        reading = await look(url, depth=Depth.METRICS, limits=QUICK)
    assert reading.state is State.UNKNOWN
    assert "made no step" in reading.reason


async def test_two_engines_behind_connections_dealt_out_are_seen():
    """Two whole engines, each connection going to one of them in turn: never up."""
    async with SimulatedEngine() as one, SimulatedEngine() as other:
        other.metrics.started_at_s += 60
        async with dealing(one.url, other.url) as url:
            readings = [
                await look(url, asked_for=(GEMMA,), depth=depth)
                for depth in (Depth.METRICS, Depth.TOOLS, Depth.GENERATION)
            ]
    assert {reading.state for reading in readings} == {State.UNKNOWN}
    assert all("two engines" in reading.reason for reading in readings)


@contextlib.asynccontextmanager
async def dealing(*urls):
    """Be a balancer that hands each connection on to the next of *urls*."""
    turn = itertools.cycle(int(url.rpartition(":")[2]) for url in urls)

    async def pump(reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def relay(reader, writer):
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", next(turn))
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))

    async with await asyncio.start_server(relay, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_two_lists_of_models_at_one_address_are_seen():
    """Two engines that publish no start times are told by what they serve."""
    other = {"data": [{"id": GEMMA, "max_model_len": 4096, "root": "/other"}]}
    lists = itertools.cycle((MODELS, other))

    async def in_turn():
        return as_json(next(lists))

    async with serving(answers(**{**WELL, "v1models": in_turn})) as url:
        reading = await look(url, asked_for=(GEMMA,), depth=Depth.METRICS, limits=QUICK)
    assert reading.state is State.UNKNOWN
    assert "lists of models" in reading.reason


async def test_two_engines_at_one_address_are_seen():
    """Answers that come from two processes in turn are told, and no state is made of them."""
    starts = itertools.cycle((100, 200))

    async def in_turn():
        text = f"{METRICS}process_start_time_seconds {next(starts)}\n"
        return 200, text, "text/plain"

    async with serving(answers(**{**WELL, "metrics": in_turn})) as url:
        reading = await look(url, asked_for=(GEMMA,), limits=QUICK)
    assert reading.state is State.UNKNOWN
    assert "two engines" in reading.reason


async def test_an_engine_that_restarts_under_the_look_is_one_engine():
    """A process that changes once and stays is a restart, not two engines."""
    starts = itertools.chain((100,), itertools.repeat(200))

    async def restarted():
        text = f"{METRICS}process_start_time_seconds {next(starts)}\n"
        return 200, text, "text/plain"

    async with serving(answers(**{**WELL, "metrics": restarted})) as url:
        reading = await look(url, asked_for=(GEMMA,), limits=QUICK)
    assert reading.state is State.UP
    assert reading.facts.started_at_s == 200


async def test_an_engine_without_metrics_can_be_up():
    """Other engines publish none: one that generates is up, and its facts say what is unknown."""
    without = {**WELL, "metrics": (404, "", "text/plain")}
    async with serving(answers(**without)) as url:
        reading = await look(url, asked_for=(GEMMA,))
    assert reading.state is State.UP
    assert reading.facts.has_tool_parser is None


async def test_silence_without_a_heartbeat_is_unknown():
    """Without metrics nothing tells a slow engine from one that stands still."""

    async def never():
        await asyncio.Event().wait()

    changed = {"metrics": (404, "", "text/plain"), "v1chatcompletions": never}
    async with serving(answers(**{**WELL, **changed})) as url:
        reading = await look(url, asked_for=(GEMMA,), limits=QUICK)
    assert reading.state is State.UNKNOWN
    assert "without a heartbeat" in reading.reason


async def test_facts_begin_with_what_was_known():
    """The facts carry group, address and names, so that they can be handed in next time."""
    reading = await look_at(group="gemma")
    assert isinstance(reading.facts, EngineFacts)
    assert (reading.facts.group, reading.facts.asked_for) == ("gemma", (GEMMA,))
    assert {step.outcome for step in reading.steps} == {Outcome.OK}
