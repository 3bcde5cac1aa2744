"""A container is looked into by Docker's API, and whatever keeps us from it is told."""

import asyncio
import gc
import json
import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import docker
import pytest
from docker.errors import APIError, DockerException
from hypothesis import given
from hypothesis import strategies as st

from chaos.errors import SetupError
from supervisor.engine import container as docker_container
from supervisor.engine.container import (
    ContainerState,
    ContainerWatch,
    NotRunningError,
    open_container,
    output_of,
    parse_state,
    read_log,
    trouble_of,
)
from tests.fakes.docker import FakeContainer, docker_with
from tests.patience import until


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """A Docker with one container."""
    container = FakeContainer(log="one\ntwo\n", output={"python3": "seen\n"})
    with docker_with(container, tmp_path) as url:
        monkeypatch.setenv("DOCKER_HOST", url)
        yield container


def test_the_log_is_read_from_the_last_start_on(fake):
    """Earlier starts are Docker's to leave out."""
    with open_container("vllm") as container:
        assert read_log(container) == "one\ntwo\n"
        assert trouble_of(container) == ""
    (asked,) = [path for path in fake.asked if "/logs" in path]
    assert "since=1795480070" in asked
    assert "follow=0" in asked


def test_a_long_log_keeps_its_beginning_and_its_end(fake, monkeypatch):
    """The flags are in the one, a death in the other."""
    monkeypatch.setattr(docker_container, "MOST_LOG_BYTES", 40)
    fake.log = "begin\n" + "middle middle middle middle\n" * 9 + "end\n"
    with open_container("vllm") as container:
        text = read_log(container)
    assert text.startswith("begin\n")
    assert text.endswith("end\n")
    assert len(text) < 100


def test_a_container_that_never_started_has_no_beginning_to_ask_for(fake):
    """Docker writes the year 1."""
    fake.started_at = "0001-01-01T00:00:00Z"
    with open_container("vllm") as container:
        read_log(container)
    assert not any("since" in path for path in fake.asked)


def test_a_command_s_output_is_read(fake):
    """With its exit code; what is not there is no crash."""
    with open_container("vllm") as container:
        assert output_of(container, ["python3", "-c", "1"]) == (0, "seen\n")
        assert output_of(container, ["perl"])[0] == 127


def test_a_container_that_ends_before_the_command_runs_is_told_as_one_that_does_not_run(fake):
    """Whoever looked first saw it running; Docker's bare 409 names neither it nor a way on."""
    fake.ends_when_asked = True
    with open_container("vllm") as container:
        assert trouble_of(container) == ""
        with pytest.raises(NotRunningError, match="'vllm' is not running: exited, exit") as told:
            output_of(container, ["python3", "-c", "1"])
    assert told.value.remedy == "Its last words: docker logs --tail 50 vllm"


def test_a_command_that_docker_refuses_in_a_container_that_runs_is_docker_s_to_explain(fake):
    """Only a container that does not run is one that does not run."""
    with open_container("vllm") as container:
        fake.only = r".*/json"
        with pytest.raises(APIError, match="403"):
            output_of(container, ["python3", "-c", "1"])


def test_a_container_that_has_ended_says_how(fake):
    """137 is a kill."""
    fake.status, fake.exit_code = "exited", 137
    with open_container("vllm") as container:
        told = trouble_of(container)
    assert told == "the container 'vllm' is not running: exited, exit code 137"


def refusal(name="vllm"):
    """What keeps us from it."""
    with pytest.raises(SetupError) as caught, open_container(name) as container:
        read_log(container)
    assert caught.value.remedy
    return caught.value.message


def test_a_container_that_is_not_there_is_named(fake):
    """The name may be misspelt."""
    assert refusal("vlm") == "there is no container 'vlm'"


def test_a_log_that_cannot_be_read_is_told_in_docker_s_words(fake):
    """Some logging drivers only write."""
    fake.log = None
    assert refusal().endswith("configured logging driver does not support reading")


# The SDK leaves the socket open with which it tried; it is collected here, and not elsewhere.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_a_machine_without_docker_is_told(tmp_path, monkeypatch):
    """There is no socket."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    assert refusal() == "there is no Docker to ask about the container 'vllm'"
    gc.collect()


def test_a_user_who_may_not_ask_is_told(monkeypatch):
    """With the words of the SDK for a user without access; root, who runs tests, has it always."""

    def refused(**_):
        raise DockerException(
            "Error while fetching server API version: "
            "('Connection aborted.', PermissionError(13, 'Permission denied'))"
        )

    monkeypatch.setattr(docker, "from_env", refused)
    assert refusal() == "this user may not ask Docker about the container 'vllm'"


def polled(name="vllm"):
    """One look, and no other."""
    return ContainerWatch(name).poll()


def test_a_look_is_one_request_without_asking_for_the_version(fake):
    """Docker is asked for nothing but the container, and once in each look."""
    fake.spoken = ("1.44", "1.52")
    watch = ContainerWatch("vllm")
    for _ in range(2):
        state = watch.poll()
        assert state is not None
        assert state.running
    assert fake.asked == ["/v1.44/containers/vllm/json"] * 2


@pytest.mark.parametrize("spoken", [("1.12", "1.41"), ("1.50", "1.60")])
def test_the_version_that_docker_names_is_used_from_then_on(fake, spoken):
    """Only the first look at an older or a much newer Docker takes a second request."""
    fake.spoken = spoken
    watch = ContainerWatch("vllm")
    for _ in range(3):
        watch.poll()
    named = spoken[1] if spoken[1] < "1.44" else spoken[0]
    used = f"/v{named}/containers/vllm/json"
    assert fake.asked == ["/v1.44/containers/vllm/json", used, used, used]


@pytest.mark.parametrize(
    "only", [r"(/v1\.\d+)?/containers/vllm/json", "/containers/vllm/json", r"/v.*/vllm/json"]
)
def test_a_proxy_that_lets_only_the_container_through_suffices(fake, only):
    """Whether such a proxy lists paths with a version, without one, or both makes no difference."""
    fake.only = only
    watch = ContainerWatch("vllm")
    assert watch.poll() is not None
    before = len(fake.asked)
    assert watch.poll() is not None
    assert len(fake.asked) == before + 1
    assert all("/containers/vllm/json" in path for path in fake.asked)


def test_all_that_is_read_of_a_container_arrives(fake):
    """Every field of the state is Docker's, with times in UTC."""
    fake.status, fake.exit_code, fake.restarts, fake.oom_killed = "restarting", 137, 4, True
    fake.finished_at = "2026-11-24T02:30:00.5+02:00"
    fake.health = "unhealthy"
    state = polled()
    assert state == ContainerState(
        name="vllm",
        status="restarting",
        running=False,
        exit_code=137,
        started_at=datetime(2026, 11, 24, 0, 27, 50, 123456, UTC),
        finished_at=datetime(2026, 11, 24, 0, 30, 0, 500000, UTC),
        restarts=4,
        oom_killed=True,
        image_id=f"sha256:{'0a' * 32}",
        arguments_hash=state.arguments_hash,
        health="unhealthy",
        error="",
    )


def test_arguments_are_read_as_a_hash(fake):
    """A key among the arguments changes the hash, and is in nothing that is read."""
    fake.run = ["--api-key=SECRET", "--key", "ANOTHER-SECRET"]
    fake.error = 'exec: "--api-key=SECRET": executable file not found; ANOTHER-SECRET'
    first = polled()
    assert "SECRET" not in repr(first)
    assert "executable file not found" in first.error
    assert re.fullmatch("[0-9a-f]{12}", first.arguments_hash)
    assert polled().arguments_hash == first.arguments_hash
    fake.run = ["--api-key=OTHER"]
    assert polled().arguments_hash != first.arguments_hash


def test_a_container_that_never_ran_has_no_times(fake):
    """The year 1, which Docker writes, is no time."""
    fake.status, fake.started_at = "created", "0001-01-01T00:00:00Z"
    assert polled().started_at is None
    assert polled().finished_at is None


def test_no_container_of_that_name_is_an_answer(fake):
    """A container that is gone is known to be gone, and is no failure to ask."""
    assert polled("vlm") is None


def untold(name="vllm"):
    """Why a look could not tell."""
    with pytest.raises(SetupError) as caught:
        polled(name)
    return caught.value


def test_a_container_that_a_proxy_forbids_is_told_with_what_to_let_through(fake):
    """A 403 for the container names the request that the proxy must let pass."""
    fake.only = "/nothing"
    error = untold()
    assert "forbids to look at the container 'vllm'" in error.message
    assert "GET /v1.44/containers/vllm/json" in error.remedy


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_a_look_without_docker_is_told(tmp_path, monkeypatch):
    """A socket that is not there is an error with a remedy, of which nothing else is raised."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    assert untold().message == "there is no Docker to ask about the container 'vllm'"
    assert list(ContainerWatch("vllm").events()) == []
    gc.collect()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
FIELDS = ("Status", "Running", "OOMKilled", "ExitCode", "Error", "StartedAt", "FinishedAt")


@given(
    st.fixed_dictionaries(
        {
            "State": st.fixed_dictionaries({}, optional=dict.fromkeys((*FIELDS, "Health"), JSON)),
        },
        optional=dict.fromkeys(("Path", "Args", "Config", "Image", "RestartCount"), JSON),
    )
)
def test_whatever_docker_says_of_a_state_is_read(answer):
    """No value of any field breaks the reading of a container."""
    assert isinstance(parse_state("vllm", answer), ContainerState)


@pytest.mark.parametrize("answer", [None, [], {}, {"State": "running"}, "running"])
def test_what_describes_no_container_is_refused(answer):
    """An answer without a state is never taken for a container that does not run."""
    with pytest.raises(ValueError, match="no container"):
        parse_state("vllm", answer)


def test_events_of_the_container_are_heard(fake):
    """Each event is one item, and only those of this container are asked for."""
    events = ContainerWatch("vllm").events()
    fake.reported.put("die")
    fake.reported.put("start")
    heard = iter(events)
    assert [next(heard), next(heard)] == [None, None]
    fake.hung_up.set()
    assert list(heard) == []
    assert not events.refused
    asked = parse_qs(urlsplit(fake.asked[-1]).query)
    filters = json.loads(asked["filters"][0])
    assert filters["container"] == ["vllm"]
    assert {"die", "oom", "health_status"} <= {*filters["event"]}


def test_a_silence_ends_the_listening(fake):
    """A connection on which nothing arrives for long enough is given up, not waited on for ever."""
    events = docker_container.ContainerEvents("vllm", "/v1.41", silence_s=0.01)
    assert list(events) == []
    assert not events.refused


async def test_closing_wakes_whoever_waits_for_an_event(fake):
    """A thread that waits for an event ends when the listening is closed by another."""
    events = ContainerWatch("vllm").events()
    async with asyncio.TaskGroup() as tasks:
        heard = tasks.create_task(asyncio.to_thread(list, events))
        await until(lambda: fake.listeners)
        events.close()
    assert heard.result() == []
    await until(lambda: not fake.listeners)


def test_a_listening_closed_before_it_began_hears_nothing(fake):
    """An event that comes after the closing is not heard, even where the closing came first."""
    events = ContainerWatch("vllm").events()
    events.close()
    fake.reported.put("die")
    assert list(events) == []


def test_events_that_a_proxy_forbids_are_refused(fake):
    """Listening ends at once where it is forbidden, and says not to be tried again."""
    fake.only = r"(/v1\.\d+)?/containers/vllm/json"
    events = ContainerWatch("vllm").events()
    assert list(events) == []
    assert events.refused


def test_only_what_the_machine_mounts_is_listed():
    """A volume of Docker's own is no file of this machine; what Docker may send is survived."""
    mounts = [
        {"Type": "bind", "Source": "/srv/a.py", "Destination": "/opt/a.py"},
        {"Type": "volume", "Name": "cache", "Destination": "/root/.cache"},
        {"Type": "bind"},
        "odd",
    ]
    running = {"State": {"Status": "running", "Running": True}}
    assert parse_state("vllm", {**running, "Mounts": mounts}).mounts == ("/opt/a.py",)
    assert parse_state("vllm", {**running, "Mounts": None}).mounts == ()


def test_a_container_is_called_as_docker_calls_it():
    """The settings may name it by its id; a rollout knows its name."""
    running = {"Name": "/vllm", "State": {"Status": "running", "Running": True}}
    assert parse_state("0a0a0a", running).name == "vllm"
