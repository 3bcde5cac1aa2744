"""Everything that a plan needs to know, asked once: of Docker, of the disk, of the engine."""

import asyncio
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import aiohttp

from chaos.errors import SetupError, UsageError
from chaos.registry import suggestion
from supervisor.baseline.record import Benchmark
from supervisor.engine.capacity import Capacity, from_log, merge
from supervisor.engine.container import ContainerState, parse_state
from supervisor.engine.facts import EngineFacts, read_engine_facts
from supervisor.engine.log import EngineLog, read_log
from supervisor.engine.package import Parsers, listing_script, read_listing
from supervisor.rollout.command_line import VllmCommand, read_command, with_running_values
from supervisor.rollout.container_spec import SAME, ContainerSpec
from supervisor.rollout.docker_host import DockerHost, in_thread
from supervisor.rollout.model_directory import ModelFiles, Told, look_at, nobody
from supervisor.rollout.origins.container import argv, read_spec
from supervisor.rollout.patches import Patch, read_patches
from supervisor.rollout.places import name_holder, port_holders, ports_of
from supervisor.rollout.rollout_file import RolloutFile
from supervisor.settings.model import Settings

NEXT = "-next"
"""What the new container's name ends with until it is accepted."""

LISTED_WITHIN_S = 120.0
SERVES = re.compile(r"Application startup complete|Uvicorn running on")
_STAMP = re.compile(r"^(\S+Z) (.*)$")
MEMINFO = Path("/proc/meminfo")


@dataclass(frozen=True, slots=True)
class Memory:
    """The host's memory, in bytes; None: it cannot be read."""

    total: int | None = None
    available: int | None = None


@dataclass(frozen=True, slots=True)
class RolloutFacts:
    """What was found. None means that it could not be learnt, or that there is none.

    Attributes:
        state: How the container that serves stands; None: there is no such container.
        running: What it was made of, with its secrets.
        not_read: What it has and a rollout file cannot say.
        wanted: What is to run, with every value filled in.
        unresolved: Values of ``wanted`` that the running container does not have.
        old_image: Docker's description of the image that runs.
        image: Of the one that is to run; None: it is not here.
        images: The images that are here, by name and tag.
        old_command: What the running container says to vLLM; None: it is another engine.
        package: The flags and parsers of the new image's own package.
        missing_sources: Files and folders that are to be mounted and are not there.
        port_holders: By port of this machine: who has it, if not the container that serves.
        name_holder: What holds the new container's name and is not ours.
        old_memory_bytes: What the running engine takes of the host's memory.
        docker: Docker's description of itself.
        disk_free_bytes: In Docker's folder.
        log: What the running engine's last start says.
        start_s: How long it took until it served.
        engine: What the running engine says of itself.
        baseline: The newest benchmark that may be one.
        without_baseline: Why none is wanted; empty if one is.
    """

    file: RolloutFile
    now: datetime
    container: Mapping[str, Any] | None = None
    state: ContainerState | None = None
    running: ContainerSpec | None = None
    not_read: tuple[str, ...] = ()
    wanted: ContainerSpec | None = None
    unresolved: tuple[str, ...] = ()
    old_image: Mapping[str, Any] | None = None
    image: Mapping[str, Any] | None = None
    images: tuple[str, ...] = ()
    old_command: VllmCommand | None = None
    command: VllmCommand | None = None
    package: Parsers | None = None
    model: ModelFiles | None = None
    patches: tuple[Patch, ...] = ()
    missing_sources: tuple[str, ...] = ()
    port_holders: Mapping[int, str] = field(default_factory=dict)
    name_holder: str = ""
    memory: Memory = Memory()
    old_memory_bytes: int | None = None
    docker: Mapping[str, Any] = field(default_factory=dict)
    disk_free_bytes: int | None = None
    log: EngineLog | None = None
    start_s: float | None = None
    engine: EngineFacts | None = None
    baseline: Benchmark | None = None
    without_baseline: str = ""

    @property
    def capacity(self) -> Capacity:
        """What the running engine can hold, by all that tells it."""
        told = self.engine.capacity if self.engine is not None else Capacity()
        return merge(told, from_log(self.log)) if self.log is not None else told

    @property
    def spec(self) -> ContainerSpec:
        """What is to run: with its values filled in, where that could be done."""
        return self.wanted or self.file.run


def engine_url(file: RolloutFile, settings: Settings) -> str:
    """Say where the engine answers.

    Raises:
        UsageError: Neither the file nor the configuration says it.
    """
    if file.url is not None:
        return file.url
    if file.engine in settings.engines:
        return settings.engines[file.engine].url
    raise UsageError(
        f"nothing says where the engine {file.engine!r} answers",
        remedy="Add url: http://127.0.0.1:8000 to the rollout file; or, in the configuration, "
        f"engines: {{{file.engine}: http://127.0.0.1:8000}}.",
    )


async def gather(
    host: DockerHost,
    file: RolloutFile,
    settings: Settings,
    session: aiohttp.ClientSession,
    *,
    benchmarks: Sequence[Benchmark] = (),
    without_baseline: str = "",
    hashes: bool = True,
    tell: Told = nobody,
    say: Callable[[str], None] = lambda _: None,
) -> RolloutFacts:
    """Ask everything.

    Args:
        hashes: Read the model's files that are named by their hash.
        tell: Is told how far hashing is.
        say: Is told what takes a while.

    Raises:
        UsageError: Nothing says where the engine answers.
        SetupError: Docker cannot be asked.
    """
    url = engine_url(file, settings)
    key = settings.engine_key(file.engine)
    engine, facts = await asyncio.gather(
        read_engine_facts(session, url, group=file.engine, key=key),
        in_thread(_of_docker, host, file, say),
    )
    model = None
    command = facts["command"]
    spec = facts["wanted"] or file.run
    if command is not None and command.model:
        model = await asyncio.to_thread(
            look_at,
            command.model,
            with_variables(spec, facts["image"]),
            revision=command.value("--revision"),
            hashes=hashes,
            tell=tell,
        )
    return RolloutFacts(
        file=file,
        now=datetime.now(UTC),
        engine=engine,
        model=model,
        memory=read_memory(),
        baseline=newest(benchmarks),
        without_baseline=without_baseline,
        **facts,
    )


def newest(benchmarks: Sequence[Benchmark]) -> Benchmark | None:
    """Find the newest benchmark that was taken here and has figures."""
    own = [one for one in benchmarks if one.own and one.figures]
    return max(own, key=lambda one: one.taken_at, default=None)


def read_memory(path: Path = MEMINFO) -> Memory:
    """Read the host's memory, as the kernel counts it."""
    try:
        rows = dict(line.partition(":")[::2] for line in path.read_text("utf-8").splitlines())
        total, available = rows["MemTotal"], rows["MemAvailable"]
        return Memory(int(total.split()[0]) << 10, int(available.split()[0]) << 10)
    except (OSError, KeyError, ValueError, IndexError):
        return Memory()


def start_duration_s(log: str, started_at: datetime | None) -> float | None:
    """Say how long a start took until the engine served, from a log with Docker's timestamps."""
    if started_at is None:
        return None
    for line in log.splitlines():
        stamped = _STAMP.match(line)
        if stamped and SERVES.search(stamped[2]):
            try:
                when = datetime.fromisoformat(stamped[1])
            except ValueError:
                continue
            if when >= started_at:
                return (when - started_at).total_seconds()
    return None


# --- what Docker knows; blocking ----------------------------------------------------------------


def _of_docker(host: DockerHost, file: RolloutFile, say: Callable[[str], None]) -> dict[str, Any]:
    found: dict[str, Any] = {"wanted": None, "command": None, "docker": host.info()}
    container = host.container(file.container)
    spec = file.run
    running_command = None
    if container is not None:
        state = parse_state(file.container, container)
        old_image = host.image(str(container.get("Image") or ""))
        running, not_read = read_spec(container, old_image)
        running_command = read_command(argv(running, old_image))
        found |= {
            "container": container,
            "state": state,
            "old_image": old_image,
            "running": running,
            "not_read": not_read,
            "old_command": running_command,
            "old_memory_bytes": host.memory_of(file.container) if state.running else None,
        }
        stamped = host.log(file.container, timestamps=True)
        last = since(stamped, state.started_at)
        found["log"] = read_log("\n".join(line.partition(" ")[2] for line in last.splitlines()))
        found["start_s"] = start_duration_s(last, state.started_at)
        spec, unresolved = filled(spec, running, running_command, variables_of(container))
        found |= {"wanted": spec, "unresolved": unresolved}
    image = host.image(spec.image)
    found |= {"image": image, "images": tuple(host.image_names())}
    command = read_command(argv(spec, image))
    found["command"] = command
    found["missing_sources"] = tuple(
        one.source for one in spec.mounts if one.is_path and not Path(one.source).exists()
    )
    if image is not None and not found["missing_sources"]:
        if command is not None:
            say(f"reading flags and parsers of {spec.image}")
            found["package"] = listed(host, spec)
        found["patches"] = read_patches(
            host, spec, str((container or {}).get("Image") or spec.image)
        )
    serves = found.get("running") is not None and found["state"].running
    own = ports_of(found["running"], running_command) if serves else ()
    found["port_holders"] = port_holders(
        host.published(), file.container, own, ports_of(spec, command)
    )
    found["name_holder"] = name_holder(host, file.container + NEXT)
    found["disk_free_bytes"] = _free(str(found["docker"].get("DockerRootDir") or ""))
    return found


def since(stamped: str, started_at: datetime | None) -> str:
    """Leave out what a log says of earlier starts."""
    if started_at is None:
        return stamped
    begin = started_at.strftime("%Y-%m-%dT%H:%M:%S")
    return "\n".join(line for line in stamped.splitlines() if line[:19] >= begin)


def filled(
    spec: ContainerSpec,
    running: ContainerSpec,
    command: VllmCommand | None,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> tuple[ContainerSpec, tuple[str, ...]]:
    """Put the running container's values where the file has none; name what it does not have.

    Args:
        variables: All that the running container has, those of its image too.
    """
    unresolved = []
    environment = dict(spec.environment)
    for name, value in spec.environment.items():
        if value is None:
            known = running.environment.get(name, variables.get(name))
            if known is None:
                unresolved.append(name)
            environment[name] = known
    options = dict(spec.log_options)
    for name, value in spec.log_options.items():
        if value == SAME:
            if name not in running.log_options:
                unresolved.append(name)
            options[name] = running.log_options.get(name, "")
    changed: dict[str, Any] = {"environment": environment, "log_options": options}
    for part in ("entrypoint", "command"):
        words = getattr(spec, part)
        if words is not None:
            try:
                changed[part] = with_running_values(words, command)
            except ValueError as error:
                unresolved.append(str(error))
    return spec.model_copy(update=changed), tuple(unresolved)


def variables_of(described: Mapping[str, Any] | None) -> dict[str, str]:
    """Read the variables of a container or of an image, as Docker describes it."""
    lines = ((described or {}).get("Config") or {}).get("Env") or ()
    parted = (str(line).partition("=") for line in lines)
    return {name: value for name, _, value in parted}


def with_variables(spec: ContainerSpec, image: Mapping[str, Any] | None) -> ContainerSpec:
    """Add what the image itself sets: where its models are, say."""
    return spec.model_copy(
        update={"environment": {**variables_of(image), **dict(spec.environment)}}
    )


def pythons(spec: ContainerSpec) -> tuple[str, ...]:
    """Name the programs that may be the Python of the image's vLLM, the likeliest first."""
    beside = [
        word.rsplit("/", 1)[0] + "/python3"
        for word in (*(spec.entrypoint or ()), *(spec.command or ())[:1])
        if word.startswith("/") and word.endswith("/vllm")
    ]
    return (*beside, "python3", "python")


def listed(host: DockerHost, spec: ContainerSpec) -> Parsers:
    """List what the image's own package offers, with the patches that are to be mounted."""
    where = f"the image {spec.image}"
    problem: Parsers | None = None
    for python in pythons(spec):
        try:
            ran = host.run_in(
                spec, [python, "-I", "-c", listing_script()], within_s=LISTED_WITHIN_S
            )
        except SetupError as error:
            problem = Parsers(where=where, problem=error.message, remedy=error.remedy)
            continue
        if ran.code == 0:
            return read_listing(ran.output, where, ran.errors)
        problem = Parsers(
            where=where, problem=f"{where} lists nothing: {ran.errors[-300:].strip()}"
        )
    return problem or Parsers(where=where)


def _free(folder: str) -> int | None:
    try:
        room = os.statvfs(folder)
    except OSError:
        return None
    return room.f_bavail * room.f_frsize


def image_suggestion(facts: RolloutFacts) -> str:
    """Say which image was probably meant."""
    return suggestion(facts.spec.image, facts.images)
