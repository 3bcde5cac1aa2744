"""A real Docker engine of its own, and containers in it that run, end, crash and change."""

import asyncio
import os
import re
import signal
import socket
import socketserver
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from tempfile import TemporaryDirectory
from typing import Any

import docker
import pytest
from docker.errors import DockerException
from docker.models.containers import Container

from supervisor.probes.kinds.container import ContainerProbe
from supervisor.probes.probe import Cadence, ProbeReading, State
from tests.fakes.docker_engine import MOUNTED, any_dockerd, empty_image
from tests.patience import PATIENCE_S, until

pytestmark = pytest.mark.docker

NAME = "understudy-vllm"
IMAGE = "understudy-test:1"
SLEEP = ["/bin/sh", "-c", "exec sleep 100000"]

Run = Callable[..., Container]


@contextmanager
def docker_or_skip() -> Iterator[str]:
    """Run an engine, where this machine can."""
    with ExitStack() as stack:
        try:
            url = stack.enter_context(any_dockerd())
        except DockerException as error:
            pytest.skip(str(error))
        yield url


@pytest.fixture(scope="module")
def engine() -> Iterator[str]:
    """An engine with an image that has nothing but places for the machine's own programs."""
    with docker_or_skip() as url:
        client = docker.DockerClient(base_url=url)
        try:
            empty_image(client, IMAGE)
            yield url
        finally:
            client.close()


@pytest.fixture
def run(engine: str) -> Iterator[Run]:
    """Runs a container, and removes the one before it."""
    client = docker.DockerClient(base_url=engine)

    def removed() -> None:
        for container in client.containers.list(all=True):
            container.remove(force=True)

    def started(command: list[str], **options: Any) -> Container:
        removed()
        return client.containers.run(
            IMAGE,
            command,
            name=NAME,
            detach=True,
            network_mode="none",
            volumes={folder: {"bind": folder, "mode": "ro"} for folder in MOUNTED},
            **options,
        )

    try:
        yield started
    finally:
        removed()
        client.close()


class UnixConnection(HTTPConnection):
    """A connection to the socket that is its host."""

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.host)


class OnlyTheContainer(BaseHTTPRequestHandler):
    """A proxy before Docker's socket that lets nothing through but looks at one container."""

    docker: str
    asked: list[str]

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if not re.fullmatch(rf"(/v1\.\d+)?/containers/{NAME}/json", self.path):
            self.refuse()
            return
        connection = UnixConnection(self.docker)
        connection.request("GET", self.path, headers={"host": "docker"})
        answer = connection.getresponse()
        self.answer(answer.status, answer.read())
        connection.close()

    def refuse(self) -> None:
        self.answer(403, b"Forbidden")

    do_POST = do_PUT = do_DELETE = do_HEAD = refuse  # noqa: N815 -- as its base class has them

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        with suppress(ConnectionError):  # A refusal need not be read to its end.
            self.end_headers()
            self.wfile.write(body)


class UnixServer(socketserver.ThreadingUnixStreamServer):
    """Ends with its test, whoever is still connected."""

    daemon_threads = True


@pytest.fixture(params=["socket", "proxy"])
def asked(
    request: pytest.FixtureRequest, engine: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[str] | None]:
    """Docker's socket, or a proxy before it; what the proxy was asked for."""
    if request.param == "socket":
        monkeypatch.setenv("DOCKER_HOST", engine)
        yield None
        return
    paths: list[str] = []
    members = {"docker": engine.removeprefix("unix://"), "asked": paths}
    with TemporaryDirectory(prefix="understudy-proxy-") as folder:
        path = f"{folder}/docker.sock"
        with UnixServer(path, type("Handling", (OnlyTheContainer,), members)) as server:
            thread = threading.Thread(target=server.serve_forever, args=[0.01])
            thread.start()
            monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
            try:
                yield paths
            finally:
                server.shutdown()
                thread.join()


def look(probe: ContainerProbe) -> Awaitable[ProbeReading]:
    """Look once."""
    return probe.probe(datetime.now(UTC))


async def seen(probe: ContainerProbe, *states: State) -> ProbeReading:
    """Look until the container is found in one of *states*."""
    async with asyncio.timeout(PATIENCE_S):
        while (reading := await look(probe)).state not in states:
            await asyncio.sleep(0.05)
    print(f"\n{reading.state}: {reading.reason}", end="")  # noqa: T201 -- shown with pytest -s
    return reading


def probe_of(**given: Any) -> ContainerProbe:
    """A probe of the container."""
    return ContainerProbe("gemma", NAME, Cadence(), **given)


async def test_a_container_that_ends_well_was_up_and_is_down(run: Run, asked: list[str] | None):
    """An exit with code 0 that nobody asked for is a crash, and one look is one request."""
    container = run(["/bin/sh", "-c", "trap 'exit 0' USR1; while :; do sleep 0.05; done"])
    probe = probe_of()
    assert (await look(probe)).state is State.UP
    before = len(asked or ())
    assert (await look(probe)).state is State.UP
    assert asked is None or len(asked) == before + 1
    container.kill("USR1")
    reading = await seen(probe, State.DOWN)
    assert "exited, exit code 0; unless somebody stopped it, it crashed" in reading.reason
    container.remove()
    assert "any more" in (await seen(probe, State.DOWN)).reason
    assert asked is None or all(path.endswith(f"/containers/{NAME}/json") for path in asked)


async def test_a_kill_is_not_taken_for_a_lack_of_memory(run: Run, asked: list[str] | None):
    """A process that somebody killed with SIGKILL is down, and nothing is said of memory."""
    container = run(SLEEP)
    probe = probe_of()
    assert (await look(probe)).state is State.UP
    container.reload()
    os.kill(container.attrs["State"]["Pid"], signal.SIGKILL)
    reading = await seen(probe, State.DOWN)
    assert "exit code 137: killed by SIGKILL; Docker does not report" in reading.reason
    assert reading.facts["exit_code"] == 137
    assert reading.facts["oom_killed"] is False


async def test_a_lack_of_memory_is_told_as_docker_reports_it(
    run: Run, engine: str, asked: list[str] | None
):
    """A container that the kernel ended is down, because of memory only if Docker says so."""
    client = docker.DockerClient(base_url=engine)
    limited = client.info()["MemoryLimit"]
    client.close()
    if not limited:
        pytest.skip("this kernel limits no memory of a container")
    reported = False
    while not reported:  # Docker 20.10 loses its own report now and then.
        run(["/bin/sh", "-c", "sleep 0.2; exec tail /dev/zero"], mem_limit="20m")
        reading = await seen(probe_of(), State.DOWN)
        reported = reading.facts["oom_killed"]
        assert ("Docker reports that memory ran out" in reading.reason) is reported
        assert ("Docker does not report that memory ran out" in reading.reason) is not reported


async def test_the_restarts_of_a_crash_loop_are_counted(run: Run, asked: list[str] | None):
    """A container that Docker starts again after each crash is down in look after look."""
    probe = probe_of()
    run(["/bin/sh", "-c", "sleep 0.2; exit 3"], restart_policy={"Name": "always"})
    first = await look(probe)
    reading = first
    while reading.facts["restarts"] < first.facts["restarts"] + 3:
        before = reading
        reading = await look(probe)
        if reading.facts["restarts"] > before.facts["restarts"]:
            assert reading.state is State.DOWN
            assert "since the look before" in reading.reason
            print(f"\n{reading.state}: {reading.reason}", end="")  # noqa: T201 -- likewise


async def test_one_restart_is_counted_and_then_forgiven(run: Run, asked: list[str] | None):
    """A container that crashed once and runs again is up in the second look after it."""
    container = run(SLEEP, restart_policy={"Name": "always"})
    probe = probe_of()
    assert (await look(probe)).state is State.UP
    container.reload()
    os.kill(container.attrs["State"]["Pid"], signal.SIGKILL)
    assert (await seen(probe, State.DOWN)).facts["restarts"] == 1
    assert (await seen(probe, State.UP)).facts["restarts"] == 1


async def test_other_arguments_are_drift_across_a_restart_of_the_daemon(
    run: Run, asked: list[str] | None
):
    """A container made again with other arguments has drifted, also for a new probe."""
    run(SLEEP)
    probe = probe_of()
    facts = (await look(probe)).facts
    run(["/bin/sh", "-c", "exec sleep 200000"])
    for looking in (probe, probe_of(previous=facts)):
        reading = await seen(looking, State.DRIFTED)
        assert "its arguments changed from" in reading.reason
    run(SLEEP)
    assert (await look(probe)).state is State.UP


async def test_a_paused_container_hangs_and_an_unhealthy_one_is_slow(
    run: Run, asked: list[str] | None
):
    """A pause is a hang, and Docker's health check a hint."""
    second_ns = 10**9
    check = {"test": ["CMD-SHELL", "exit 1"], "interval": second_ns, "retries": 1}
    container = run(SLEEP, healthcheck=check)
    probe = probe_of()
    assert "health check" in (await seen(probe, State.SLOW)).reason
    container.pause()
    await seen(probe, State.HUNG)
    container.unpause()


async def test_arguments_that_docker_quotes_in_an_error_are_kept_secret(
    run: Run, asked: list[str] | None
):
    """A key that Docker took for a program's name is in no reason."""
    with pytest.raises(DockerException, match="SECRET"):
        run(["--api-key=SECRET"])
    reading = await seen(probe_of(), State.DOWN)
    assert "never started; Docker reports:" in reading.reason
    assert "SECRET" not in reading.reason


async def test_an_end_wakes_at_once_where_events_are_offered(run: Run, asked: list[str] | None):
    """Docker's report of an end arrives; a proxy that forbids events ends the listening."""
    container = run(SLEEP)
    probe, woken = probe_of(), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        listener = tasks.create_task(probe.listen(woken.set))
        if asked is None:
            # The listener may only be connecting: whatever happens meanwhile is lost to it.
            while not woken.is_set():
                await asyncio.to_thread(container.restart, timeout=0)
            listener.cancel()
        else:
            await until(listener.done)
            assert listener.result() is None
    await until(lambda: not [t for t in threading.enumerate() if "docker-events" in t.name])
