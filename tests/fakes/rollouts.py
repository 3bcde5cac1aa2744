"""Swaps of an engine that nothing speaks against, and a Docker that only tells what it was given.

``facts()`` is the swap of a healthy vLLM in a container for its next version; a test changes what
it is about.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from supervisor.engine.capacity import Capacity
from supervisor.engine.container import parse_state
from supervisor.engine.facts import EngineFacts
from supervisor.engine.package import Parsers
from supervisor.rollout.command_line import VllmCommand, read_command
from supervisor.rollout.container_spec import ContainerSpec
from supervisor.rollout.docker_host import DockerHost, Ran
from supervisor.rollout.facts import Memory, RolloutFacts
from supervisor.rollout.finding import Answer, Finding
from supervisor.rollout.model_directory import ModelFiles
from supervisor.rollout.origins.container import argv, read_spec
from supervisor.rollout.rollout_file import RolloutFile
from tests.fakes.benchmarks import HOUR, benchmark
from tests.fakes.manual_clock import NOON

GIB = 1 << 30
OLD_NAME, NEW_NAME = "vllm/vllm-openai:v0.31.0", "vllm/vllm-openai:v0.32.0"
OLD_ID, NEW_ID = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"
CONTAINER_ID = "c0ffee" * 10 + "c0ff"
WORDS = (
    "/models/gemma --served-model-name gemma --max-model-len 65536 "
    "--enable-auto-tool-choice --tool-call-parser gemma4"
)
FLAGS = (
    *("--served-model-name", "--max-model-len", "--enable-auto-tool-choice", "--port", "--host"),
    *("--tool-call-parser", "--reasoning-parser", "--api-key", "--max-num-seqs", "--dtype"),
    *("--gpu-memory-utilization", "--quantization", "--kv-cache-dtype", "--enforce-eager"),
    *("--tensor-parallel-size", "--seed", "--revision", "--tokenizer", "--block-size"),
    *("--tool-parser-plugin", "--reasoning-parser-plugin", "--speculative-config"),
)
DOCKER: Mapping[str, Any] = {
    "Architecture": "aarch64",
    "DockerRootDir": "/var/lib/docker",
    "Runtimes": {"runc": {}, "nvidia": {}},
}


def rollout_file(**changes: Any) -> RolloutFile:
    """Make a rollout file; *run* is laid over what is to run, the rest replaces."""
    run = {
        "image": NEW_NAME,
        "command": WORDS,
        "mounts": ["/srv/models:/models:ro"],
        "gpus": "all",
        "network": "host",
        **changes.pop("run", {}),
    }
    values = {
        "container": "vllm",
        "engine": "gemma",
        "url": "http://127.0.0.1:8000",
        "run": run,
        "expect": {"model": "gemma", "context": 65536, "memory_gib": 90},
        **changes,
    }
    return RolloutFile.model_validate(values)


def image(identity: str = NEW_ID, **changes: Any) -> dict[str, Any]:
    """Describe an image that starts vLLM, as Docker does."""
    return {
        "Id": identity,
        "RepoDigests": [],
        "Architecture": "arm64",
        "Config": {"Entrypoint": ["vllm", "serve"], "Cmd": None, "Env": ["PATH=/usr/bin"]},
        **changes,
    }


def container(
    *,
    words: str = WORDS,
    config: Mapping[str, Any] | None = None,
    host: Mapping[str, Any] | None = None,
    state: Mapping[str, Any] | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """Describe the container that serves, as Docker does.

    Args:
        words: What its command says after ``vllm serve``.
        config: Laid over its ``Config``; *host* over its ``HostConfig``, *state* over its
            ``State``.
    """
    return {
        "Id": CONTAINER_ID,
        "Name": "/vllm",
        "Image": OLD_ID,
        "Path": "vllm",
        "Args": ["serve", *words.split()],
        "RestartCount": 0,
        "State": {
            "Status": "running",
            "Running": True,
            "ExitCode": 0,
            "StartedAt": "2026-03-01T09:00:00.123456789Z",
            "FinishedAt": "0001-01-01T00:00:00Z",
            **(state or {}),
        },
        "Config": {
            "Image": OLD_NAME,
            "Entrypoint": ["vllm", "serve"],
            "Cmd": words.split(),
            "Env": ["PATH=/usr/bin"],
            **(config or {}),
        },
        "HostConfig": {
            "NetworkMode": "host",
            "RestartPolicy": {"Name": "unless-stopped", "MaximumRetryCount": 0},
            "DeviceRequests": [{"Driver": "", "Count": -1, "Capabilities": [["gpu"]]}],
            **(host or {}),
        },
        "Mounts": [
            {
                "Type": "bind",
                "Source": "/srv/models",
                "Destination": "/models",
                "Mode": "ro",
                "RW": False,
                "Propagation": "rprivate",
            }
        ],
        **changes,
    }


def stopped(**changes: Any) -> dict[str, Any]:
    """Describe the same container after its end."""
    return container(state={"Status": "exited", "Running": False, "ExitCode": 137}, **changes)


def package(**changes: Any) -> Parsers:
    """List what the new image's package offers."""
    values = {
        "tool": ("gemma4", "hermes", "pythonic"),
        "reasoning": ("gemma4", "qwen3"),
        "version": "0.32.0",
        "where": f"the image {NEW_NAME}",
        "flags": FLAGS,
        **changes,
    }
    return Parsers(**values)


def command(words: str = WORDS) -> VllmCommand:
    """Read what a command says after ``vllm serve``."""
    found = read_command(["vllm", "serve", *words.split()])
    assert found is not None
    return found


def facts(
    *,
    old: Mapping[str, Any] | None = None,
    old_image: Mapping[str, Any] | None = None,
    **given: Any,
) -> RolloutFacts:
    """Make facts that nothing speaks against; what is *given* replaces one of them.

    Args:
        old: The container that serves: its state, specification and command follow from it.
    """
    serving, its_image = old or container(), old_image or image(OLD_ID)
    running, not_read = read_spec(serving, its_image)
    file = given.pop("file", None) or rollout_file()
    wanted: ContainerSpec = given.get("wanted") or file.run
    new_image = given.get("image", image())
    values: dict[str, Any] = {
        "file": file,
        "now": NOON,
        "container": serving,
        "state": parse_state("vllm", serving),
        "running": running,
        "not_read": not_read,
        "wanted": wanted,
        "old_image": its_image,
        "image": new_image,
        "images": (OLD_NAME, NEW_NAME),
        "old_command": read_command(argv(running, its_image)),
        "command": read_command(argv(wanted, new_image)),
        "package": package(),
        "model": model_files(),
        "memory": Memory(total=119 * GIB, available=30 * GIB),
        "old_memory_bytes": 70 * GIB,
        "docker": DOCKER,
        "disk_free_bytes": 100 * GIB,
        "engine": engine(),
        "start_s": 185.0,
        "baseline": benchmark(taken_at=NOON - HOUR),
        **given,
    }
    return RolloutFacts(**values)


def model_files(**changes: Any) -> ModelFiles:
    """Make a model of two whole files."""
    values = {
        "asked_for": "/models/gemma",
        "folder": Path("/srv/models/gemma"),
        "weights_bytes": 50 * GIB,
        "shards": 2,
        **changes,
    }
    return ModelFiles(**values)


def engine(**changes: Any) -> EngineFacts:
    """Make what the running engine says of itself."""
    values = {
        "group": "gemma",
        "url": "http://127.0.0.1:8000",
        "names": ("gemma",),
        "max_model_len": {"gemma": 65536},
        "capacity": Capacity(),
        **changes,
    }
    return EngineFacts(**values)


def answers(findings: Sequence[Finding]) -> list[Answer]:
    """Say how questions came out, in their order."""
    return [one.answer for one in findings]


class ToldHost(DockerHost):
    """Knows what it is given, and takes down what it is asked.

    Attributes:
        files: By image: its own files by path.
        ran: What a program that is run in an image prints; an error is raised instead.
        asked: The images whose files were asked for.
        started: The programs that were run.
    """

    def __init__(
        self,
        *,
        containers: Mapping[str, Mapping[str, Any]] | None = None,
        images: Mapping[str, Mapping[str, Any]] | None = None,
        files: Mapping[str, Mapping[str, bytes]] | None = None,
        ran: Sequence[Ran | Exception] = (),
        log: str = "",
        published: Mapping[int, str] | None = None,
        info: Mapping[str, Any] | None = None,
        memory_bytes: int | None = 70 * GIB,
    ) -> None:
        self.containers = dict(containers or {})
        self.images = dict(images or {})
        self.files = files or {}
        self.asked: list[str] = []
        self.started: list[list[str]] = []
        self._ran = list(ran)
        self._log = log
        self._published = published or {}
        self._info = info if info is not None else DOCKER
        self._memory_bytes = memory_bytes

    def container(self, name: str) -> Mapping[str, Any] | None:
        return self.containers.get(name)

    def image(self, name: str) -> Mapping[str, Any] | None:
        return self.images.get(name)

    def image_names(self) -> list[str]:
        return sorted(name for name in self.images if not name.startswith("sha256:"))

    def published(self) -> Mapping[int, str]:
        return self._published

    def info(self) -> Mapping[str, Any]:
        return self._info

    def log(self, name: str, *, tail: int | None = None, timestamps: bool = False) -> str:
        return self._log

    def memory_of(self, name: str) -> int | None:
        return self._memory_bytes

    def files_of_image(self, image: str, paths: Sequence[str]) -> dict[str, bytes | None]:
        self.asked.append(image)
        own = self.files.get(image, {})
        return {path: own.get(path) for path in paths}

    def run_in(self, spec: ContainerSpec, words: Sequence[str], *, within_s: float = 60.0) -> Ran:
        self.started.append(list(words))
        told = self._ran.pop(0)
        if isinstance(told, Exception):
            raise told
        return told
