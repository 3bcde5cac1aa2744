"""The one who asks Docker, and the only one who changes anything there. Blocking: use a thread.

Containers that only look into an image are labelled, have no network and no device, and are gone
when they have answered.
"""

import asyncio
import functools
import io
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

import docker
from docker import DockerClient
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.models.containers import Container
from docker.types import DeviceRequest, LogConfig, Mount, Ulimit
from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError

from chaos.errors import SetupError
from supervisor.rollout.container_spec import ContainerSpec, size_of

P = ParamSpec("P")
T = TypeVar("T")

WITHIN_S = 60.0
"""Longest silence of Docker's that is waited for; it unpacks nothing here."""

LABEL = "understudy.rollout"
"""Marks the containers that are ours: its value is the rollout, or ``look``."""

MOST_FILE_BYTES = 64 << 20
_PLACES = frozenset({"PATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV"})
"""Variables that say where programs are; a program that only looks needs no others."""

_TROUBLE = (DockerException, HTTPError, RequestException)


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program in an image has printed, and how it ended."""

    code: int
    output: str
    errors: str


class DockerHost:
    """One Docker engine, through its socket: ``$DOCKER_HOST``, or Docker's default."""

    def __init__(self, client: DockerClient) -> None:
        self._client = client

    @classmethod
    @contextmanager
    def opened(cls, *, within_s: float = WITHIN_S) -> Iterator["DockerHost"]:
        """Connect, and let go at exit.

        Raises:
            SetupError: Docker cannot be asked.
        """
        client = None
        try:
            client = docker.from_env(timeout=within_s)  # type: ignore[arg-type]  # requests takes floats
            client.ping()
            yield cls(client)
        except _TROUBLE as error:
            raise explained(error) from error
        finally:
            if client is not None:
                client.close()

    # --- looking -------------------------------------------------------------------------

    def container(self, name: str) -> Mapping[str, Any] | None:
        """Describe a container, as ``docker inspect`` does; None if there is none."""
        try:
            return dict(self._client.containers.get(name).attrs)
        except NotFound:
            return None

    def image(self, name: str) -> Mapping[str, Any] | None:
        """Describe an image that is here; None if it is not."""
        try:
            return dict(self._client.images.get(name).attrs)
        except (ImageNotFound, NotFound):
            return None

    def image_names(self) -> list[str]:
        """List the images that are here, by name and tag."""
        return sorted({tag for image in self._client.images.list() for tag in image.tags})

    def container_names(self) -> list[str]:
        """List the containers that are here, running or not."""
        return sorted(
            str(one.name) for one in self._client.containers.list(all=True, ignore_removed=True)
        )

    def published(self) -> Mapping[int, str]:
        """Say which container publishes which port of this machine."""
        found: dict[int, str] = {}
        for one in self._client.containers.list(ignore_removed=True):
            ports = (one.attrs.get("NetworkSettings") or {}).get("Ports") or {}
            for bound in ports.values():
                for each in bound or ():
                    with suppress(KeyError, ValueError):
                        found[int(each["HostPort"])] = str(one.name)
        return found

    def info(self) -> Mapping[str, Any]:
        """Describe the engine: its folder, version, runtimes."""
        return dict(self._client.info())

    def log(self, name: str, *, tail: int | None = None, timestamps: bool = False) -> str:
        """Read the log of a container."""
        container = self._client.containers.get(name)
        text = container.logs(tail=tail if tail is not None else "all", timestamps=timestamps)
        return text[-MOST_FILE_BYTES:].decode("utf-8", "replace")

    def memory_of(self, name: str) -> int | None:
        """Say how many bytes of the host's memory a container uses, without its page cache."""
        with suppress(*_TROUBLE, KeyError, TypeError):
            stats: Any = self._client.containers.get(name).stats(stream=False, one_shot=True)
            memory = stats["memory_stats"]
            inside = memory.get("stats") or {}
            cache = inside.get("inactive_file", inside.get("total_inactive_file", 0))
            return int(memory["usage"]) - int(cache)
        return None

    def files_of_image(self, image: str, paths: Sequence[str]) -> dict[str, bytes | None]:
        """Read files of an image, without starting anything in it; None where there is none.

        Raises:
            SetupError: One is too large to be a patch's target.
        """
        if not paths:
            return {}
        with self._looking(image) as container:
            return {path: _file_of(container, path) for path in paths}

    @contextmanager
    def _looking(self, image: str) -> Iterator[Container]:
        # Any command will do: it is never started.
        container = self._client.containers.create(
            image, ["true"], network_mode="none", labels={LABEL: "look"}
        )
        try:
            yield container
        finally:
            with suppress(NotFound):
                container.remove(force=True)

    def run_in(
        self, spec: ContainerSpec, words: Sequence[str], *, within_s: float = WITHIN_S
    ) -> Ran:
        """Run a program that only reads in an image, with the mounts of *spec*, all read-only.

        Raises:
            SetupError: It cannot be started, or does not end in time.
        """
        container = self._client.containers.create(
            spec.image,
            list(words[1:]),
            entrypoint=list(words[:1]),
            network_mode="none",
            mounts=_mounts(spec, read_only=True),
            environment={
                **{
                    name: value
                    for name, value in spec.environment.items()
                    if name in _PLACES and value is not None
                },
                "HF_HUB_OFFLINE": "1",
            },
            labels={LABEL: "look"},
            user=spec.user or "",
        )
        try:
            container.start()
            try:
                code = int(container.wait(timeout=within_s)["StatusCode"])
            except (HTTPError, OSError) as error:
                raise SetupError(
                    f"{words[0]} in the image {spec.image} does not end within {within_s:g} s",
                    remedy=f"Look: docker run --rm -it --entrypoint sh {spec.image}",
                ) from error
            output = container.logs(stdout=True, stderr=False).decode("utf-8", "replace")
            errors = container.logs(stdout=False, stderr=True).decode("utf-8", "replace")
            return Ran(code, output, errors)
        finally:
            with suppress(NotFound):
                container.remove(force=True)

    # --- changing ------------------------------------------------------------------------

    def create(self, spec: ContainerSpec, name: str, rollout: str) -> str:
        """Make a container and do not start it; its restart policy is ``no``. Returns its id.

        Args:
            rollout: Its id, kept as a label.
        """
        options = {**_options(spec), "labels": {**spec.labels, LABEL: rollout}}
        command = list(spec.command) if spec.command is not None else None
        made = self._client.containers.create(spec.image, command, name=name, **options)
        return str(made.id)

    def start(self, name: str) -> None:
        """Start a container."""
        self._client.containers.get(name).start()

    def end(self, name: str, *, within_s: float) -> None:
        """Stop a container, and kill it if it takes longer; does nothing where it does not run."""
        container = self._client.containers.get(name)
        # Docker answers when it has ended, which a connection has to outlast.
        self._client.api.stop(str(container.id), timeout=int(within_s))

    def kill(self, name: str) -> None:
        """Kill a container at once; does nothing where it does not run."""
        with suppress(APIError):
            self._client.containers.get(name).kill()

    def rename(self, name: str, to: str) -> None:
        """Give a container another name."""
        self._client.containers.get(name).rename(to)

    def set_restart(self, name: str, policy: str, most: int) -> None:
        """Say whether Docker starts a container by itself."""
        wanted: Any = {"Name": policy, "MaximumRetryCount": most}
        self._client.containers.get(name).update(restart_policy=wanted)

    def run_inside(self, name: str, words: Sequence[str]) -> tuple[int, str]:
        """Run a program in a running container; returns its exit code and what it printed.

        Raises:
            NotRunningError: It does not run: it may have ended since somebody looked.
        """
        from supervisor.engine.container import output_of  # noqa: PLC0415 -- beside its kind

        return output_of(self._client.containers.get(name), words)

    def remove(self, name: str) -> None:
        """Remove a container of ours, running or not; does nothing where there is none."""
        with suppress(NotFound):
            container = self._client.containers.get(name)
            if LABEL not in container.labels:
                raise SetupError(
                    f"the container {name!r} was not made by Understudy, so it is not removed",
                    remedy=f"If it is to go: docker rm {name}",
                )
            container.remove(force=True)


async def in_thread(work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Run what blocks in a thread; who is cancelled meanwhile waits for its end first.

    Else a container could be made after whoever wanted it has tidied up and gone.

    Raises:
        SetupError: Docker could not do it; whatever goes on can still be put back.
    """
    loop = asyncio.get_running_loop()
    running = loop.run_in_executor(None, functools.partial(work, *args, **kwargs))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise
    except _TROUBLE as error:
        raise explained(error) from error


class NoDockerError(SetupError):
    """Docker does not answer: it is not running, or is being started anew."""


_NOBODY = (
    *("FileNotFoundError", "Connection refused", "No such file", "Connection aborted"),
    *("RemoteDisconnected", "Connection reset"),
)


def explained(error: Exception) -> SetupError:
    """Say in words what Docker could not do."""
    why = str(getattr(error, "explanation", None) or error)
    if "Permission denied" in why or "PermissionError" in why:
        return SetupError(
            "this user may not ask Docker",
            remedy="Run as a user who may read Docker's socket, which makes that user root: sudo.",
        )
    if any(words in why for words in _NOBODY):
        return NoDockerError(
            "there is no Docker to ask", remedy="Start Docker, or set DOCKER_HOST to its socket."
        )
    status = error.status_code if isinstance(error, APIError) else None
    kind = f"Docker answers {status}" if status else "Docker cannot be asked"
    return SetupError(f"{kind}: {why[:500]}", remedy="Look: docker info; journalctl -u docker")


# --- what docker.containers.create takes ----------------------------------------------------


def _options(spec: ContainerSpec) -> dict[str, Any]:
    options: dict[str, Any] = {
        "entrypoint": list(spec.entrypoint) if spec.entrypoint is not None else None,
        "environment": {
            name: value for name, value in spec.environment.items() if value is not None
        },
        "mounts": _mounts(spec),
        # Only these options need the older form.
        "volumes": [str(one) for one in spec.mounts if one.options],
        "devices": list(spec.devices) or None,
        "device_requests": _gpus(spec.gpus),
        "network_mode": spec.network,
        "ipc_mode": spec.ipc,
        "pid_mode": spec.pid,
        "shm_size": size_of(spec.shm_size) if spec.shm_size is not None else None,
        "ulimits": [_ulimit(name, text) for name, text in spec.ulimits.items()],
        "mem_limit": size_of(spec.memory) if spec.memory is not None else None,
        "user": spec.user,
        "group_add": list(spec.groups) or None,
        "working_dir": spec.working_dir,
        "privileged": spec.privileged,
        "cap_add": list(spec.cap_add) or None,
        "cap_drop": list(spec.cap_drop) or None,
        "security_opt": list(spec.security) or None,
        "runtime": spec.runtime,
        "read_only": spec.read_only,
        "tmpfs": dict(spec.tmpfs) or None,
        "extra_hosts": dict(_host(one) for one in spec.hosts) or None,
        "init": spec.init,
        "stop_signal": spec.stop_signal,
        "restart_policy": {"Name": "no"},
    }
    if spec.network != "host":
        options["ports"] = {
            f"{one.inside}/{one.protocol}": (one.address or None, one.host)
            if one.address
            else one.host
            for one in spec.ports
        }
    if spec.log_driver is not None:
        options["log_config"] = LogConfig(type=spec.log_driver, config=dict(spec.log_options))
    return {name: value for name, value in options.items() if value not in (None, [], {})}


def _mounts(spec: ContainerSpec, *, read_only: bool = False) -> list[Mount]:
    """Unlike ``-v`` these refuse a source that is not there, in place of making a folder."""
    return [
        Mount(
            target=one.target,
            source=one.source,
            type="bind" if one.is_path else "volume",
            read_only=read_only or one.read_only,
        )
        for one in spec.mounts
        if read_only or not one.options
    ]


def _gpus(text: str | None) -> list[DeviceRequest] | None:
    if text is None:
        return None
    if text.startswith("device="):
        names = text.removeprefix("device=").strip('"').split(",")
        return [DeviceRequest(device_ids=names, capabilities=[["gpu"]])]
    return [DeviceRequest(count=-1 if text == "all" else int(text), capabilities=[["gpu"]])]


def _ulimit(name: str, text: str) -> Ulimit:
    soft, _, hard = text.partition(":")
    return Ulimit(name=name, soft=int(soft), hard=int(hard or soft))


def _host(text: str) -> tuple[str, str]:
    name, _, address = text.partition(":")
    return name, address


def _file_of(container: Container, path: str) -> bytes | None:
    for _ in range(8):  # A chain of links longer than this is none.
        try:
            pieces, told = container.get_archive(path)
        except NotFound:
            return None
        stat: dict[str, Any] = told or {}
        linked = stat.get("linkTarget") or ""
        if linked and linked != path:
            path = linked
            continue
        if stat.get("size", 0) > MOST_FILE_BYTES:
            raise SetupError(
                f"{path} of the image has {stat['size']} bytes, too many to be a patch's target",
                remedy="Leave the mount out, or mount a folder.",
            )
        packed = io.BytesIO(b"".join(pieces))
        with tarfile.open(fileobj=packed) as tar:
            member = tar.next()
            content = tar.extractfile(member) if member is not None and member.isfile() else None
            return content.read() if content is not None else None
    return None
