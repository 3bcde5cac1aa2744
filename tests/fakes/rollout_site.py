"""A Docker of its own with an engine that serves in it, and commands that are run against it."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import docker
import pytest
import yaml
from docker.models.containers import Container

from chaos.process.ports import free_port
from supervisor.cli.main import main
from tests.fakes.commandline import SCRIPT
from tests.fakes.docker_engine import any_dockerd
from tests.fakes.engine_image import PATCHED, engine_image, mounted
from tests.fakes.models import whole_model
from tests.patience import wait_for

NAME = "vllm"
NEXT = "vllm-next"
GROUP = "gemma"
COMMAND = (
    *("/models/gemma", "--served-model-name", "gemma", "--host", "127.0.0.1"),
    *("--enable-auto-tool-choice", "--tool-call-parser", "gemma4"),
)

NEVER: Any = {"Name": "no", "MaximumRetryCount": 0}

Change = Callable[[dict[str, Any]], None]


@contextmanager
def docker_here() -> Iterator[str]:
    """Run an engine; only a user who may not is excused."""
    if os.geteuid() != 0:
        pytest.skip("a Docker engine of its own needs root")
    with any_dockerd() as url:
        yield url


@dataclass
class Site:
    """A Docker with an engine that serves.

    Attributes:
        folder: Where the model, the patch and the rollout file are.
        port: Where it answers.
        started_at: When what serves was started; it is never started anew here.
    """

    url: str
    client: docker.DockerClient
    folder: Path
    port: int
    started_at: str = ""

    def container(self, name: str = NAME) -> Container:
        """Find a container; it has to be there."""
        return self.client.containers.get(name)

    def names(self) -> list[str]:
        """List every container."""
        listed = self.client.containers.list(all=True, ignore_removed=True)
        return sorted(str(one.name) for one in listed)

    def untouched(self) -> None:
        """What served when it all began serves on, and nobody has started it since."""
        serving = self.container()
        assert serving.status == "running"
        assert serving.attrs["State"]["StartedAt"] == self.started_at
        assert serving.attrs["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"

    def command(self, *arguments: object) -> list[str]:
        """Write the command for a process of its own."""
        return [str(SCRIPT), "rollout", *map(str, arguments)]

    def run(self, *arguments: object, **env: str) -> subprocess.CompletedProcess[str]:
        """Run the command against this Docker, in this process: it is run many times."""
        return self._run("rollout", *arguments, **env)

    def bench(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Measure, as a person would before a change."""
        return self._run("bench", *arguments)

    def _run(self, *arguments: object, **env: str) -> subprocess.CompletedProcess[str]:
        words = ["understudy", *map(str, arguments)]
        printed, told = io.StringIO(), io.StringIO()
        with (
            mock.patch.dict(os.environ, {"DOCKER_HOST": self.url, "COLUMNS": "200", **env}),
            mock.patch.object(sys, "argv", words),
            mock.patch("supervisor.cli.main.forbid_core_dumps"),
            redirect_stdout(printed),
            redirect_stderr(told),
            pytest.raises(SystemExit) as ended,
        ):
            main()
        code = ended.value.code if isinstance(ended.value.code, int) else 0
        return subprocess.CompletedProcess(words, code, printed.getvalue(), told.getvalue())

    def file(self, change: Change | None = None, name: str = "rollout.yaml") -> Path:
        """Write a rollout file for the second image."""
        raw: dict[str, Any] = {
            "container": NAME,
            "engine": GROUP,
            "url": f"http://127.0.0.1:{self.port}",
            "run": {
                "image": "vllm:2",
                "command": [*COMMAND, "--port", str(self.port)],
                "environment": {"HF_TOKEN": None},
                "mounts": [*mounted(), *self.own_mounts()],
                "network": "host",
            },
            "expect": {"model": "gemma", "context": 65536},
            "limits": {"free_disk_gib": 0.1},
        }
        if change is not None:
            change(raw)
        path = self.folder / name
        path.write_text(yaml.safe_dump(raw, sort_keys=False))
        return path

    def own_mounts(self) -> list[str]:
        """The model and the patch."""
        return [f"{self.folder}/model:/models/gemma:ro", f"{self.folder}/patch.py:{PATCHED}:ro"]


@contextmanager
def a_site(folder: Path, there: str | None = None) -> Iterator[Site]:
    """Run a Docker with two images, a model and a patch; no engine serves yet.

    Args:
        there: A Docker that runs already.
    """
    with ExitStack() as stack:
        url = there or stack.enter_context(docker_here())
        client = docker.DockerClient(base_url=url)
        stack.callback(client.close)
        site = Site(url, client, folder, free_port())
        whole_model(folder / "model")
        (folder / "patch.py").write_text("VERSION = 1  # and ours\n")
        engine_image(client, "vllm:1")
        engine_image(client, "vllm:2", version="0.33.0")
        stack.callback(remove_all, client)
        yield site


def serve(site: Site, **traits: Any) -> Container:
    """Start the engine that is to be exchanged.

    Args:
        traits: Of the simulated engine.
    """
    always: Any = {"Name": "unless-stopped", "MaximumRetryCount": 0}
    serving = site.client.containers.run(
        "vllm:1",
        [*COMMAND, "--port", str(site.port)],
        name=NAME,
        detach=True,
        network_mode="host",
        volumes=[*mounted(), *site.own_mounts()],
        environment={
            "HF_TOKEN": "hf_not_to_be_seen",
            **({"LAB_ENGINE": json.dumps(traits)} if traits else {}),
        },
        restart_policy=always,
    )
    wait_for(lambda: b"startup complete" in serving.logs())
    serving.reload()
    site.started_at = serving.attrs["State"]["StartedAt"]
    return serving


def remove_all(client: docker.DockerClient) -> None:
    """Leave nothing that could be mounted still when Docker ends."""
    for one in client.containers.list(all=True, ignore_removed=True):
        one.remove(force=True)


def found(done: subprocess.CompletedProcess[str], check: str) -> list[dict[str, Any]]:
    """List what a plan in JSON found for one question."""
    return [one for one in json.loads(done.stdout)["findings"] if one["check"] == check]


def rollouts(site: Site) -> list[dict[str, Any]]:
    """List the journal, the newest first."""
    listed: list[dict[str, Any]] = json.loads(site.run("status", "--format=json").stdout)[
        "rollouts"
    ]
    return listed


def with_image(name: str) -> Change:
    """Ask for another image."""
    return lambda raw: raw["run"].update(image=name)


def with_words(*words: str) -> Change:
    """Add to the command."""
    return lambda raw: raw["run"]["command"].extend(words)


def without(flag: str) -> Change:
    """Leave a flag out of the command."""
    return lambda raw: raw["run"]["command"].remove(flag)


def with_value(flag: str, value: str) -> Change:
    """Give a flag another value."""

    def change(raw: dict[str, Any]) -> None:
        words = raw["run"]["command"]
        words[words.index(flag) + 1] = value

    return change


def too_large(raw: dict[str, Any]) -> None:
    """Need more memory than any machine has."""
    raw["expect"]["memory_gib"] = 1_000_000


def from_nowhere(raw: dict[str, Any]) -> None:
    """Mount what is not there."""
    raw["run"]["mounts"].append("/nowhere/at/all:/data:ro")


def unknown_value(raw: dict[str, Any]) -> None:
    """Leave to the running container what it does not have."""
    raw["run"]["environment"]["VLLM_API_KEY"] = None
