"""A container's state follows from how Docker says it stood and stands, and from nothing else."""

import asyncio
import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from supervisor.engine.container import ContainerState
from supervisor.probes.kinds.container import PAUSE_S, ContainerProbe, facts, judge
from supervisor.probes.probe import Cadence, Outcome, Part, PartKind, State
from supervisor.probes.standing import step, unseen
from tests.fakes.docker import FakeContainer, docker_with
from tests.fakes.manual_clock import NOON, ManualClock
from tests.patience import until

STARTED = datetime(2026, 11, 24, 0, 27, 50, tzinfo=UTC)
LATER = STARTED + timedelta(minutes=3)
RUNNING = ContainerState(
    name="vllm",
    status="running",
    running=True,
    exit_code=0,
    started_at=STARTED,
    finished_at=None,
    restarts=0,
    oom_killed=False,
    image_id=f"sha256:{'0a' * 32}",
    arguments_hash="0123456789ab",
    health=None,
    error="",
)
EXITED = replace(RUNNING, status="exited", running=False)


def test_a_running_container_is_up_since_its_start():
    """Nothing but that it runs is claimed of a container that runs."""
    assert judge(None, RUNNING) == (State.UP, "it runs since 2026-11-24 00:27:50 UTC")
    assert judge(RUNNING, RUNNING) == judge(None, RUNNING)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "exit code 0; unless somebody stopped it, it crashed, although the code reports succe"),
        (1, "exit code 1; unless somebody stopped it, it crashed"),
        (139, "exit code 139 (SIGSEGV); unless somebody stopped it, it crashed"),
        (255, "exit code 255; unless somebody stopped it, it crashed"),
    ],
)
def test_every_end_that_nobody_asked_for_is_a_crash(code, words):
    """An engine that has ended is down, also if its exit code means success."""
    state, reason = judge(RUNNING, replace(EXITED, exit_code=code))
    assert state is State.DOWN
    assert f"it is not running: exited, {words}" in reason


def test_a_kill_alone_is_no_lack_of_memory():
    """Exit code 137 is explained by memory only where Docker reports that memory ran out."""
    killed = replace(EXITED, exit_code=137)
    state, reason = judge(RUNNING, killed)
    assert state is State.DOWN
    assert "killed by SIGKILL; Docker does not report that memory ran out" in reason
    state, reason = judge(RUNNING, replace(killed, oom_killed=True))
    assert state is State.DOWN
    assert "killed by SIGKILL; Docker reports that memory ran out (OOMKilled)" in reason


@pytest.mark.parametrize("oom_killed", [True, False])
def test_memory_that_ran_out_is_told_beside_any_exit_code(oom_killed):
    """Docker's flag counts where the process ended by another code, too."""
    _, reason = judge(None, replace(EXITED, exit_code=1, oom_killed=oom_killed))
    assert ("memory ran out" in reason) is oom_killed


def test_a_container_that_was_never_started_says_why():
    """A container without a start is down, with Docker's reason and without an invented crash."""
    created = replace(
        EXITED, status="created", started_at=None, exit_code=127, error="no such file: vllm"
    )
    state, reason = judge(None, created)
    assert state is State.DOWN
    assert reason == "it is not running: created, never started; Docker reports: no such file: vllm"


@pytest.mark.parametrize("status", ["removing", "dead", "exited", "created", "stopped"])
def test_whatever_does_not_run_is_down(status):
    """No word for a container that does not run makes it anything but down."""
    state, reason = judge(RUNNING, replace(EXITED, status=status))
    assert state is State.DOWN
    assert status in reason


def test_a_container_that_docker_is_starting_again_is_down():
    """The exit code of its last end is in the reason, and how often it was started again."""
    again = replace(EXITED, status="restarting", exit_code=3, restarts=4)
    state, reason = judge(None, again)
    assert state is State.DOWN
    assert reason == "Docker is starting it again (4 restarts so far) after it ended, exit code 3"
    _, reason = judge(replace(RUNNING, restarts=2), again)
    assert "(4 restarts so far, 2 since the look before) after it ended" in reason


def test_a_restart_by_docker_is_a_crash_in_the_look_that_sees_it():
    """A container that runs, but crashed since the look before, is down for that look only."""
    crashed = replace(RUNNING, restarts=1, started_at=LATER)
    state, reason = judge(RUNNING, crashed)
    assert state is State.DOWN
    assert reason == "it crashed and was started again once since the look before"
    state, reason = judge(crashed, crashed)
    assert state is State.UP
    assert reason == "it runs since 2026-11-24 00:30:50 UTC (1 restart so far)"


def test_a_start_by_somebody_is_no_crash():
    """A container that somebody has started again is up, and the reason says that it ended."""
    state, reason = judge(replace(RUNNING, restarts=3), replace(RUNNING, started_at=LATER))
    assert state is State.UP
    assert "it ended and was started again since the look before" in reason
    assert "crashed" not in reason


def test_a_first_start_is_no_restart():
    """A container that is started for the first time has not ended before."""
    state, reason = judge(replace(EXITED, status="created", started_at=None), RUNNING)
    assert state is State.UP
    assert "again" not in reason


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"image_id": f"sha256:{'b' * 64}"},
            "its image changed from 0a0a0a0a0a0a to bbbbbbbbbbbb",
        ),
        (
            {"arguments_hash": "ba9876543210"},
            "its arguments changed from 0123456789ab to ba9876543210",
        ),
    ],
)
def test_another_image_or_other_arguments_are_drift(change, words):
    """A container that runs something else than before has drifted, and the reason names what."""
    state, reason = judge(RUNNING, replace(RUNNING, **change))
    assert state is State.DRIFTED
    assert words in reason
    ended = replace(EXITED, exit_code=1, **change)
    state, reason = judge(RUNNING, ended)
    assert state is State.DOWN
    assert words in reason


def test_facts_of_long_ago_count_for_drift_and_for_no_crash():
    """Drift is seen against earlier facts; restarts before the first look are no news."""
    earlier = json.loads(json.dumps(facts(replace(RUNNING, arguments_hash="ba9876543210"))))
    assert judge(None, replace(RUNNING, restarts=9), earlier)[0] is State.DRIFTED
    assert judge(None, replace(RUNNING, restarts=9), facts(RUNNING))[0] is State.UP


@pytest.mark.parametrize("earlier", [{}, {"image_id": "", "arguments_hash": None}])
def test_what_was_not_known_is_no_drift(earlier):
    """Facts that are missing cannot have changed."""
    assert judge(None, RUNNING, earlier)[0] is State.UP


def test_a_paused_container_hangs():
    """A paused container keeps its port open and answers nobody."""
    state, reason = judge(RUNNING, replace(RUNNING, status="paused"))
    assert state is State.HUNG
    assert "paused" in reason


@pytest.mark.parametrize(
    ("health", "state"),
    [("unhealthy", State.SLOW), ("starting", State.UP), ("healthy", State.UP), (None, State.UP)],
)
def test_docker_s_own_health_check_is_a_hint(health, state):
    """Docker's health check alone makes a running container slow, and never down."""
    found, reason = judge(RUNNING, replace(RUNNING, health=health))
    assert found is state
    assert ("health check" in reason) is (health in {"unhealthy", "starting"})


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """A Docker with one container."""
    container = FakeContainer()
    with docker_with(container, tmp_path) as url:
        monkeypatch.setenv("DOCKER_HOST", url)
        yield container


def probe_of(**given):
    """A probe of it, on a clock that stands still."""
    return ContainerProbe("gemma", "vllm", Cadence(), clock=ManualClock(), **given)


async def test_a_look_says_how_the_container_stands_with_facts_as_json(fake):
    """A reading is of the engine's group, with one step as evidence and facts for the store."""
    probe = probe_of()
    reading = await probe.probe(NOON)
    assert reading.part == probe.part == Part(PartKind.CONTAINER, "gemma")
    assert reading.state is State.UP
    (only,) = reading.evidence
    assert (only.outcome, only.found) == (Outcome.OK, reading.reason)
    assert json.loads(json.dumps(reading.facts)) == {
        "image_id": fake.image,
        "arguments_hash": reading.facts["arguments_hash"],
        "started_at": "2026-11-24T00:27:50.123456+00:00",
        "restarts": 0,
        "exit_code": 0,
        "oom_killed": False,
        "mounts": [],
        "container": "vllm",
        "was": {
            "image_id": fake.image,
            "arguments_hash": reading.facts["arguments_hash"],
        },
    }
    assert not probe.across_network


async def stood(probe, fake, restarts):
    """How its part stands after a look at each number of restarts."""
    standing = unseen(probe.part, NOON)
    for count in restarts:
        fake.restarts = count
        standing, _ = step(standing, await probe.probe(NOON), probe.cadence, NOON, 0.1)
    return standing


async def test_one_restart_is_not_confirmed_and_a_crash_loop_is(fake):
    """A crash counts only when the next look sees another one."""
    assert (await stood(probe_of(), fake, [0, 1, 1])).state is State.UP
    assert (await stood(probe_of(), fake, [0, 1, 2])).state is State.DOWN


async def test_drift_lasts_and_is_seen_across_a_restart_of_the_daemon(fake):
    """Other arguments are drift in every look, also for a daemon that was started meanwhile."""
    probe = probe_of()
    before = await probe.probe(NOON)
    fake.run = [*fake.run, "--enforce-eager"]
    assert [(await probe.probe(NOON)).state for _ in range(2)] == [State.DRIFTED] * 2
    later = probe_of(previous=json.loads(json.dumps(before.facts)))
    readings = [await later.probe(NOON) for _ in range(2)]
    assert [reading.state for reading in readings] == [State.DRIFTED] * 2
    last = probe_of(previous=json.loads(json.dumps(readings[-1].facts["was"])))
    assert (await last.probe(NOON)).state is State.DRIFTED
    assert (await probe_of().probe(NOON)).state is State.UP


async def test_drift_that_was_accepted_is_none(fake):
    """A container that was accepted as it is has not drifted, until it changes again."""
    probe = probe_of()
    probe.accept()
    await probe.probe(NOON)
    fake.run = [*fake.run, "--enforce-eager"]
    assert (await probe.probe(NOON)).state is State.DRIFTED
    probe.accept()
    assert (await probe.probe(NOON)).state is State.UP
    fake.image = "sha256:another"
    assert (await probe.probe(NOON)).state is State.DRIFTED


@pytest.mark.parametrize("known", [None, {}, {"image_id": None, "arguments_hash": None}])
async def test_what_an_earlier_daemon_did_not_know_the_first_look_says(fake, known):
    """Facts without a value neither hide later drift nor make a container known."""
    probe = probe_of(previous=known)
    fake.name = "another"
    assert (await probe.probe(NOON)).state is State.UNKNOWN
    fake.name = "vllm"
    assert (await probe.probe(NOON)).state is State.UP
    fake.run = [*fake.run, "--enforce-eager"]
    assert (await probe.probe(NOON)).state is State.DRIFTED


async def test_a_container_that_is_gone_is_down_and_one_never_seen_is_unknown(fake):
    """A name that was never right is a mistake in the settings, not a crash."""
    unknown = await ContainerProbe("gemma", "vlm").probe(NOON)
    assert unknown.state is State.UNKNOWN
    assert "there is no container 'vlm'. Name one that" in unknown.reason
    probe = probe_of()
    await probe.probe(NOON)
    fake.name = "another"
    gone = await probe.probe(NOON)
    assert gone.state is State.DOWN
    assert "'vllm' any more" in gone.reason


async def test_a_docker_that_cannot_be_asked_is_unknown_with_a_remedy(fake):
    """A proxy that forbids the look makes the container unknown, whatever it was before."""
    probe = probe_of()
    await probe.probe(NOON)
    fake.only = "/nothing"
    reading = await probe.probe(NOON)
    assert reading.state is State.UNKNOWN
    assert "forbids" in reading.reason
    assert "GET /v1.44/containers/vllm/json" in reading.reason
    assert reading.facts == {}


async def test_a_defect_of_a_look_is_a_reading(fake, monkeypatch):
    """A look never raises, whatever goes wrong in it."""
    probe = probe_of()

    def broken():
        raise RecursionError

    monkeypatch.setattr(probe._watch, "poll", broken)
    reading = await probe.probe(NOON)
    assert reading.state is State.UNKNOWN
    assert "RecursionError" in reading.reason


async def test_a_look_has_no_memory_but_the_look_before(fake):
    """A container that runs again is up at once, whatever was seen in between."""
    probe = probe_of()
    seen = []
    for status in ("running", "exited", "paused", "running"):
        fake.status = status
        seen.append((await probe.probe(NOON)).state)
    assert seen == [State.UP, State.DOWN, State.HUNG, State.UP]


def listening():
    """The threads that wait for events."""
    return [thread for thread in threading.enumerate() if "docker-events" in thread.name]


async def test_an_event_wakes_and_a_cancelled_listener_leaves_no_thread(fake):
    """Whatever Docker reports wakes; after a cancel, neither thread nor connection is left."""
    woken = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        listener = tasks.create_task(probe_of().listen(woken.set))
        fake.reported.put("die")
        await woken.wait()
        assert listening()
        listener.cancel()
    assert listener.cancelled()
    await until(lambda: not listening() and not fake.listeners)


async def test_a_listener_cancelled_at_any_moment_leaves_no_thread(fake):
    """A cancel ends a listener also while it is only just connecting."""
    for turns in range(20):
        async with asyncio.TaskGroup() as tasks:
            listener = tasks.create_task(probe_of().listen(lambda: None))
            for _ in range(turns):
                await asyncio.sleep(0)
            listener.cancel()
    await until(lambda: not listening() and not fake.listeners)


async def test_a_listener_comes_back_after_docker_has_hung_up(fake):
    """A Docker that was started again is listened to again, after a pause."""
    clock, woken = ManualClock(), asyncio.Event()
    probe = ContainerProbe("gemma", "vllm", clock=clock)
    async with asyncio.TaskGroup() as tasks:
        listener = tasks.create_task(probe.listen(woken.set))
        await until(lambda: fake.listeners)
        fake.hung_up.set()
        await clock.until_asleep()
        fake.hung_up.clear()
        clock.advance(PAUSE_S)
        fake.reported.put("start")
        await woken.wait()
        listener.cancel()


async def test_a_listener_gives_up_where_events_are_forbidden(fake):
    """A proxy that forbids events ends the listening quietly, and looks go on."""
    fake.only = r"(/v1\.\d+)?/containers/vllm/json"
    probe = probe_of()
    await probe.listen(lambda: pytest.fail("there was no event"))
    assert (await probe.probe(NOON)).state is State.UP


async def test_a_listener_goes_on_after_a_defect(fake, monkeypatch):
    """A listener that breaks tries again after its pause, and ends nothing else."""
    clock = ManualClock()
    probe = ContainerProbe("gemma", "vllm", clock=clock)

    class Broken:
        refused = False

        def __iter__(self):
            raise RuntimeError

        def close(self):
            pass

    monkeypatch.setattr(probe._watch, "events", Broken)
    async with asyncio.TaskGroup() as tasks:
        listener = tasks.create_task(probe.listen(lambda: None))
        await clock.until_asleep()
        listener.cancel()
