"""Look into a container through Docker's API; blocking, so call it in a thread.

Who may ask Docker is root on its machine: nothing here runs unless the settings name a container,
and nothing here changes one. The socket is the one of ``$DOCKER_HOST``, or Docker's default.
"""

import hashlib
import json
import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import docker
from docker import DockerClient
from docker.errors import APIError, DockerException, NotFound
from docker.models.containers import Container
from requests import Response
from urllib3.exceptions import HTTPError

from chaos.errors import SetupError

WITHIN_S = 15.0
"""Longest silence of Docker's that is waited for."""

MOST_LOG_BYTES = 4 << 20
TAIL_LINES = 2000

FIRST_API = "1.44"
"""Tried first: Docker Engine speaks it from 25.0 on, and from 29.0 on nothing older. An engine that
does not speak it names a version that it speaks. The SDK would ask ``/version`` instead, which a
proxy before the socket may forbid, and which would be a second request in every look."""

EVENTS = ("die", "stop", "kill", "start", "oom", "health_status")
ANSWER_S = 5.0
"""Docker answers at once when it is asked for events, before there are any."""
SILENCE_S = 300.0
"""After this without an event the connection is taken for dead, and made again."""

_SPOKEN = re.compile(r"(?:Maximum|Minimum) supported API version is (\d+\.\d+)")
_TROUBLE = (DockerException, HTTPError, OSError, ValueError)


@dataclass(frozen=True, slots=True)
class ContainerState:
    """How Docker says that a container stands.

    Attributes:
        status: Docker's word: created, running, paused, restarting, removing, exited or dead.
        running: Its process exists and is not about to be started again; true while paused.
        exit_code: Of its last end; 0 while it runs.
        restarts: How often Docker has started it again after an end, since somebody started it.
        oom_killed: Docker reports that memory ran out in it.
        arguments_hash: Of what it runs; a hash, because arguments may hold keys.
        health: What Docker's own health check found; None without one.
        error: Why Docker could not start it, without its arguments; empty if it could.
        mounts: Where in it files and folders of this machine are mounted.
    """

    name: str
    status: str
    running: bool
    exit_code: int | None
    started_at: datetime | None
    finished_at: datetime | None
    restarts: int
    oom_killed: bool
    image_id: str
    arguments_hash: str
    health: str | None
    error: str
    mounts: tuple[str, ...] = ()


class NotRunningError(SetupError):
    """A command was to run in a container that does not run, or that ended meanwhile."""

    def __init__(self, name: str, trouble: str) -> None:
        super().__init__(trouble, remedy=f"Its last words: docker logs --tail 50 {name}")


@contextmanager
def open_container(name: str, *, within_s: float = WITHIN_S) -> Iterator[Container]:
    """Find a container by its name or id.

    Raises:
        SetupError: Docker cannot be asked, or there is no such container; also while it is used.
    """
    try:
        client = docker.from_env(timeout=within_s)  # type: ignore[arg-type]  # requests takes floats
        try:
            yield client.containers.get(name)
        finally:
            client.close()
    except NotFound as error:
        raise SetupError(
            f"there is no container {name!r}",
            remedy="Name one that 'docker ps --all' lists, by its name or its id.",
        ) from error
    except _TROUBLE as error:
        raise _explained(name, error) from error


class ContainerWatch:
    """Looks at one container again and again, with nothing but GET."""

    def __init__(self, name: str, *, within_s: float = WITHIN_S) -> None:
        self.name = name
        self._within_s = within_s
        self._prefix = f"/v{FIRST_API}"

    def poll(self) -> ContainerState | None:
        """Look once, by one ``GET /containers/NAME/json``; None: there is no such container.

        Only the first look may take two more requests, to learn which API version is spoken.

        Raises:
            SetupError: Docker cannot be asked.
        """
        path = f"/containers/{quote(self.name, safe='')}/json"
        try:
            with _client(self._within_s) as client:
                reply, prefix = _get(client, self._prefix, path)
                if reply.status_code == 404 and "no such container" in reply.text.lower():
                    return None
                if reply.status_code != 200:
                    raise APIError("refused", reply, _message(reply))
                state = parse_state(self.name, reply.json())
        except _TROUBLE as error:
            raise _explained(self.name, error) from error
        self._prefix = prefix
        return state

    def events(self) -> "ContainerEvents":
        """Listen to what happens to it."""
        return ContainerEvents(self.name, self._prefix)


class ContainerEvents:
    """Yields None whenever Docker reports that something has happened to a container; blocking.

    It ends when it is closed, when Docker has not reported anything for a while, and when Docker
    cannot be asked: an event only makes the next look come sooner, so a lost one costs only time.

    Attributes:
        refused: Docker, or a proxy before it, offers no events: do not ask again.
    """

    def __init__(self, name: str, prefix: str, *, silence_s: float = SILENCE_S) -> None:
        self.refused = False
        self._name = name
        self._prefix = prefix
        self._silence_s = silence_s
        self._socket: socket.socket | None = None
        self._closed = False

    def __iter__(self) -> Iterator[None]:
        filters = {"type": ["container"], "container": [self._name], "event": EVENTS}
        query = {"filters": json.dumps(filters)}
        with suppress(*_TROUBLE), _client(ANSWER_S) as client:
            reply, _ = _get(client, self._prefix, "/events", stream=True, params=query)
            with closing(reply):
                self._socket, status = _socket_of(reply), reply.status_code
                # Over SSH there is no socket that could be closed.
                self.refused = 400 <= status < 500 or (status == 200 and self._socket is None)
                if self._closed or self._socket is None or status != 200:
                    return
                self._socket.settimeout(self._silence_s)
                # A byte at a time, because a larger piece is waited for; events are few and short.
                for line in reply.iter_lines(chunk_size=1):
                    if line.strip():
                        yield

    def close(self) -> None:
        """End it, from any thread: whoever waits for an event is woken.

        While Docker has not even answered, that takes up to ``ANSWER_S``.
        """
        self._closed = True
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


def parse_state(name: str, answer: Any) -> ContainerState:
    """Read Docker's answer about a container; what is missing in it is empty. Pure.

    Source: Docker Engine 20.10.24, API 1.41, run; an exit code of a container that Docker starts
    again after each end comes with ``Status`` restarting, and with ``Running`` true.
    """
    if not isinstance(answer, dict) or not isinstance(answer.get("State"), dict):
        raise ValueError("the answer describes no container")  # noqa: TRY004 -- nor did we ask wrongly
    state, config = answer["State"], _section(answer, "Config")
    status = str(state.get("Status") or "")
    run = [answer.get("Path"), answer.get("Args"), config.get("Entrypoint"), config.get("Cmd")]
    health = str(_section(state, "Health").get("Status") or "none")
    return ContainerState(
        name=str(answer.get("Name") or name).strip("/"),
        status=status,
        running=state.get("Running") is True and status != "restarting",
        exit_code=_number(state.get("ExitCode")),
        started_at=_moment(state.get("StartedAt")),
        finished_at=_moment(state.get("FinishedAt")),
        restarts=_number(answer.get("RestartCount")) or 0,
        oom_killed=state.get("OOMKilled") is True,
        image_id=str(answer.get("Image") or ""),
        arguments_hash=hashlib.sha256(json.dumps(run).encode()).hexdigest()[:12],
        health=None if health == "none" else health,
        error=_without_arguments(str(state.get("Error") or ""), run),
        mounts=tuple(_mounted(answer.get("Mounts"))),
    )


def read_log(container: Container) -> str:
    """Read the log from the container's last start on: its beginning and its end, bounded."""
    state = container.attrs.get("State") or {}
    begin = _moment(state.get("StartedAt"))
    since: dict[str, Any] = {"since": int(begin.timestamp())} if begin else {}
    taken = bytearray()
    stream = container.logs(stream=True, follow=False, **since)
    try:
        while len(taken) < MOST_LOG_BYTES and (piece := next(stream, b"")):
            taken += piece
    finally:
        stream.close()
    if len(taken) >= MOST_LOG_BYTES:
        end = container.logs(tail=TAIL_LINES, **since)
        taken = taken[:MOST_LOG_BYTES] + b"\n" + end[-MOST_LOG_BYTES:]
    return taken.decode("utf-8", "replace")


def image_of(container: Container) -> tuple[str | None, str | None]:
    """Name a container's image as it was asked for, and by its digest.

    Returns:
        The digest is the registry's where there is one, such as ``vllm/vllm-openai@sha256:…``;
        an image that was built or loaded here has only an id, which names it as exactly. A proxy
        that hides images hides the first, never the second.
    """
    attrs = container.attrs
    name = str(_section(attrs, "Config").get("Image") or "") or None
    known = str(attrs.get("Image") or "") or None
    with suppress(*_TROUBLE):
        found = container.image
        digests = (found.attrs.get("RepoDigests") if found is not None else None) or []
        if digests:
            return name, str(digests[0])
    return name, known


def trouble_of(container: Container) -> str:
    """Say how a container is not running; empty if it is."""
    state = container.attrs.get("State") or {}
    status = str(state.get("Status") or container.status)
    if status == "running":
        return ""
    how = f", exit code {state['ExitCode']}" if status == "exited" and "ExitCode" in state else ""
    killed = ", killed because memory ran out" if state.get("OOMKilled") else ""
    return f"the container {container.name!r} is not running: {status}{how}{killed}"


def output_of(container: Container, command: Sequence[str]) -> tuple[int, str]:
    """Run a command that only reads; returns its exit code and what it printed.

    Raises:
        NotRunningError: The container does not run: it may have ended since somebody looked.
    """
    code, output = 0, b""
    for _ in range(2):  # The SDK may lose what arrives together with the headers.
        try:
            done = container.exec_run(list(command), stderr=False)
        except APIError:
            container.reload()
            trouble = trouble_of(container)
            if trouble:
                raise NotRunningError(str(container.name), trouble) from None
            raise
        code = int(done.exit_code or 0)
        output = done.output if isinstance(done.output, bytes) else b""
        if output or code:
            break
    return code, output.decode("utf-8", "replace")


@contextmanager
def _client(within_s: float) -> Iterator[DockerClient]:
    # The version is given only so that the SDK does not ask for it: see FIRST_API.
    client = docker.from_env(version=FIRST_API, timeout=within_s)  # type: ignore[arg-type]  # likewise
    try:
        yield client
    finally:
        client.close()


def _get(client: DockerClient, prefix: str, path: str, **options: Any) -> tuple[Response, str]:
    """Ask by an API version that Docker speaks and that a proxy lets through.

    Args:
        prefix: Has the version to begin with, such as ``/v1.44``.
    Returns:
        The answer, and the prefix that brought it.
    """
    tried: list[str] = []
    while True:
        tried.append(prefix)
        url = f"{client.api.base_url}{prefix}{path}"
        reply = client.api.get(url, timeout=client.api.timeout, allow_redirects=False, **options)
        other = prefix
        if reply.status_code == 400 and (spoken := _SPOKEN.search(reply.text)):
            other = f"/v{spoken[1]}"
        elif reply.status_code == 403:
            # A proxy may list paths without a version, or only those with one.
            other = "" if prefix else f"/v{FIRST_API}"
        if other in tried:
            return reply, prefix
        reply.close()
        prefix = other


def _socket_of(reply: Response) -> socket.socket | None:
    """Find the socket under a streamed reply, as the SDK does; None where there is another kind."""
    file = getattr(getattr(reply.raw, "_fp", None), "fp", None)
    found = getattr(getattr(file, "raw", None), "_sock", None)
    return found if isinstance(found, socket.socket) else None


def _message(reply: Response) -> str:
    with suppress(ValueError):
        answer = reply.json()
        if isinstance(answer, dict) and answer.get("message"):
            return str(answer["message"])
    return f"HTTP {reply.status_code} {reply.reason or ''}".rstrip()


def _section(answer: dict[str, Any], name: str) -> dict[str, Any]:
    found = answer.get(name)
    return found if isinstance(found, dict) else {}


def _mounted(mounts: Any) -> Iterator[str]:
    for one in mounts if isinstance(mounts, list) else ():
        if isinstance(one, dict) and one.get("Type") == "bind" and one.get("Destination"):
            yield str(one["Destination"])


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _moment(written: Any) -> datetime | None:
    """Read Docker's time, which has nanoseconds; the year 1 means never."""
    try:
        when = datetime.fromisoformat(str(written))
        when = when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return when if when.year > 1970 else None


def _without_arguments(error: str, run: Sequence[Any]) -> str:
    """Take arguments out of Docker's words: it quotes one that it took for the program's name."""
    words = [word for part in run for word in (part if isinstance(part, list) else [part])]
    for word in sorted((w for w in words if isinstance(w, str)), key=len, reverse=True):
        # A short word, such as "serve", may be one of Docker's own; a path is no secret.
        if "=" in word or (len(word) > 8 and "/" not in word):
            error = error.replace(word, "…")
    return error[:300]


def _explained(name: str, error: Exception) -> SetupError:
    why = str(getattr(error, "explanation", None) or error)
    if getattr(error, "status_code", None) == 403:
        return SetupError(
            f"Docker, or a proxy before its socket, forbids to look at the container {name!r}",
            remedy=f"Let it pass GET /v{FIRST_API}/containers/{name}/json, with every version.",
        )
    if "Permission denied" in why or "PermissionError" in why:
        return SetupError(
            f"this user may not ask Docker about the container {name!r}",
            remedy="Run as a user who may read Docker's socket, which makes that user root; or "
            "name a log file and a Python below engines instead of the container.",
        )
    if "FileNotFoundError" in why or "Connection refused" in why or "No such file" in why:
        return SetupError(
            f"there is no Docker to ask about the container {name!r}",
            remedy="Start Docker, or set DOCKER_HOST to its socket.",
        )
    return SetupError(
        f"Docker reports nothing about the container {name!r}: {why[:300]}",
        remedy=f"Try: docker logs {name}",
    )
