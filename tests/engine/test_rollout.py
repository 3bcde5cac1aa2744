"""A real vLLM in a container: its own package lists what it has, its own renderer is the trial."""

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import docker
import pytest

from chaos.lab.vllm_engine import MODELS
from chaos.process.ports import free_port
from supervisor.rollout.command_line import read_command
from supervisor.rollout.container_spec import ContainerSpec
from supervisor.rollout.docker_host import DockerHost, in_thread
from supervisor.rollout.facts import listed
from supervisor.rollout.finding import Answer, Finding
from supervisor.rollout.origins.container import argv
from supervisor.rollout.render import findings_of, try_render
from tests.fakes.docker_engine import any_dockerd, empty_image
from tests.fakes.engine_image import mounted
from tests.fakes.rollout_site import Site, remove_all
from tests.patience import PATIENCE_S, wait_for

ONE_OF_A_KIND = pytest.mark.one_of_a_kind

IMAGE = "vllm-cpu:0.32.0"


@pytest.fixture(scope="module")
def engine() -> Iterator[tuple[str, docker.DockerClient]]:
    """A Docker with an image that has nothing but places for what is mounted."""
    if os.geteuid() != 0:
        pytest.skip("a Docker engine of its own needs root")
    with ExitStack() as stack:
        url = stack.enter_context(any_dockerd())
        client = docker.DockerClient(base_url=url, timeout=int(PATIENCE_S))
        stack.callback(client.close)
        empty_image(client, IMAGE)
        stack.callback(remove_all, client)
        yield url, client


@pytest.fixture
def host(engine: tuple[str, docker.DockerClient]) -> Iterator[DockerHost]:
    """The one who asks it; a trial leaves nothing behind."""
    yield DockerHost(engine[1])
    assert engine[1].containers.list(all=True) == []


def spec_of(vllm: Path, model: str, *flags: str) -> ContainerSpec:
    """A container that would run the real vLLM with a tiny model."""
    environment = vllm.parents[1]
    base = (environment / "bin" / "python").resolve().parents[1]
    return ContainerSpec.model_validate(
        {
            "image": IMAGE,
            "entrypoint": [str(vllm), "serve"],
            "command": [
                "/models/tiny",
                *("--served-model-name", "tiny", "--max-model-len", "4096", *flags),
            ],
            "environment": {
                "PATH": f"{environment}/bin:/usr/bin:/bin",
                "HOME": "/tmp",
                "VLLM_CPU_KVCACHE_SPACE": "1",
                "VLLM_NO_USAGE_STATS": "1",
            },
            "mounts": [
                *mounted(environment, base),
                f"{MODELS / model}:/models/tiny:ro",
            ],
        }
    )


async def tried(host: DockerHost, spec: ContainerSpec) -> dict[str, Finding]:
    """Try it; what was found, by question."""
    command = read_command(argv(spec, None))
    assert command is not None
    async with asyncio.timeout(PATIENCE_S):
        rendered = await try_render(
            host, spec, command, name="tiny-trial", rollout="test", within_s=PATIENCE_S
        )
    print(f"\n{rendered.took_s:.0f} s: {rendered.result}")  # noqa: T201 -- shown with pytest -s
    return {one.check: one for one in findings_of(rendered, command, PATIENCE_S)}


@ONE_OF_A_KIND
async def test_its_own_package_lists_its_flags_and_parsers(host: DockerHost, vllm_executable: Path):
    """Without a GPU, a network, or an import of vLLM."""
    spec = spec_of(vllm_executable, "hermes")
    package = await in_thread(listed, host, spec)
    assert package.problem == ""
    assert package.version == "0.32.0"
    assert "--tool-call-parser" in package.flags
    assert len(package.flags) > 300
    assert {"gemma4", "hermes", "pythonic"} <= {*package.tool}


@ONE_OF_A_KIND
@pytest.mark.parametrize(
    ("parser", "answer", "came"),
    [
        ("hermes", Answer.OK, "it does, whole and streamed"),
        ("gemma4", Answer.REFUSED, "whole and streamed: no call"),
    ],
)
async def test_a_parser_is_tried_on_what_the_model_s_own_template_writes(
    host: DockerHost, vllm_executable: Path, parser: str, answer: Answer, came: str
):
    """The engine would start with either, and be healthy."""
    spec = spec_of(
        vllm_executable, "hermes", "--enable-auto-tool-choice", "--tool-call-parser", parser
    )
    found = await tried(host, spec)
    assert found["render"].answer is Answer.OK
    assert found["parsers"].answer is answer
    assert came in found["parsers"].came


@ONE_OF_A_KIND
async def test_an_engine_without_tool_calls_is_tried_without_them(
    host: DockerHost, vllm_executable: Path
):
    """It may be meant so; a warning says what it is."""
    found = await tried(host, spec_of(vllm_executable, "hermes"))
    assert found["render"].answer is Answer.OK
    assert found["parsers"].answer is Answer.WARNING


@ONE_OF_A_KIND
async def test_a_flag_that_it_does_not_know_ends_the_trial(host: DockerHost, vllm_executable: Path):
    """Its own words say which one."""
    flags = ("--enable-auto-tool-choice", "--tool-call-parser", "gemma5")
    found = await tried(host, spec_of(vllm_executable, "hermes", *flags))
    assert found["render"].answer is Answer.REFUSED
    assert "invalid tool call parser: gemma5" in found["render"].came


def test_a_real_engine_is_exchanged_and_taken_back(
    engine: tuple[str, docker.DockerClient], vllm_executable: Path, tmp_path: Path
):
    """Every gate that can be asked of it says yes: the same engine with a shorter context."""
    url, client = engine
    site = Site(url, client, tmp_path, free_port())
    flags = ("--enable-auto-tool-choice", "--tool-call-parser", "hermes", "--enforce-eager")
    place = ("--host", "127.0.0.1", "--port", str(site.port), "--max-num-seqs", "4")
    spec = spec_of(vllm_executable, "hermes", *flags, *place)
    always: Any = {"Name": "unless-stopped", "MaximumRetryCount": 0}
    old = client.containers.run(
        spec.image,
        list(spec.command or ()),
        entrypoint=list(spec.entrypoint or ()),
        name="vllm",
        detach=True,
        network_mode="host",
        environment={name: value or "" for name, value in spec.environment.items()},
        volumes=[str(one) for one in spec.mounts],
        ipc_mode="host",
        restart_policy=always,
    )
    wait_for(lambda: b"Application startup complete" in old.logs())
    file = tmp_path / "rollout.yaml"
    first = site.run("init", "--from-container", "vllm", "--engine", "tiny", "--output", file)
    assert first.returncode == 0, first.stderr
    text = file.read_text().replace("--max-model-len 4096", "--max-model-len 2048")
    text = text.replace("context: 4096", "context: 2048")
    text = text.replace("free_disk_gib: 5", "free_disk_gib: 0")
    file.write_text(text)
    done = site.run("stage", file, "--no-drills", "--without-baseline", "x", "--format=json")
    assert done.returncode == 0, done.stdout + done.stderr
    done = site.run("swap", "--accept-downtime", "--format=json")
    print(done.stdout)  # noqa: T201 -- shown with pytest -s
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    came = {one["check"]: one for one in report["findings"]}
    assert {came[name]["answer"] for name in ("model", "context", "first token", "tool call")} == {
        "ok"
    }
    assert came["canary"]["answer"] == "ok"
    assert "nats a token" in came["canary"]["came"]
    assert site.run("rollback").returncode == 0
    assert site.container("vllm").id == old.id
    remove_all(client)
