"""Look into a container through Docker's API; blocking, so call it in a thread.

Who may ask Docker is root on its machine: nothing here runs unless the settings name a container,
and nothing here changes one. The socket is the one of ``$DOCKER_HOST``, or Docker's default.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import docker
from docker.errors import DockerException, NotFound
from docker.models.containers import Container
from urllib3.exceptions import HTTPError

from chaos.errors import SetupError

WITHIN_S = 15.0
"""Longest silence of Docker's that is waited for."""

MOST_LOG_BYTES = 4 << 20
TAIL_LINES = 2000


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
    except (DockerException, HTTPError, OSError, ValueError) as error:
        raise _explained(name, error) from error


def read_log(container: Container) -> str:
    """Read the log from the container's last start on: its beginning and its end, bounded."""
    state = container.attrs.get("State") or {}
    begin = _seconds(str(state.get("StartedAt") or ""))
    since: dict[str, Any] = {"since": begin} if begin else {}
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
    """Run a command that only reads; returns its exit code and what it printed."""
    code, output = 0, b""
    for _ in range(2):  # The SDK may lose what arrives together with the headers.
        done = container.exec_run(list(command), stderr=False)
        code = int(done.exit_code or 0)
        output = done.output if isinstance(done.output, bytes) else b""
        if output or code:
            break
    return code, output.decode("utf-8", "replace")


def _seconds(started: str) -> float | None:
    """Read Docker's time, which has nanoseconds; the year 1 means never."""
    try:
        when = datetime.fromisoformat(started[:19] + "+00:00")
    except ValueError:
        return None
    return when.timestamp() if when.year > 1970 else None


def _explained(name: str, error: Exception) -> SetupError:
    why = str(getattr(error, "explanation", None) or error)
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
