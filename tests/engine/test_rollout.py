"""A real vLLM in a container: its own package lists what it has, its own renderer is the trial."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import docker
import pytest

from chaos.lab.vllm_engine import MODELS
from supervisor.rollout.command_line import read_command
from supervisor.rollout.container_spec import ContainerSpec
from supervisor.rollout.docker_host import DockerHost, in_thread
from supervisor.rollout.facts import listed
from supervisor.rollout.finding import Answer, Finding
from supervisor.rollout.origins.container import argv
from supervisor.rollout.render import findings_of, try_render
from tests.fakes.docker_engine import any_dockerd, empty_image
from tests.fakes.engine_image import mounted
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.one_of_a_kind

IMAGE = "vllm-cpu:0.32.0"


@pytest.fixture(scope="module")
def host() -> Iterator[DockerHost]:
    """A Docker with an image that has nothing but places for what is mounted."""
    if os.geteuid() != 0:
        pytest.skip("a Docker engine of its own needs root")
    with ExitStack() as stack:
        url = stack.enter_context(any_dockerd())
        client = docker.DockerClient(base_url=url, timeout=int(PATIENCE_S))
        stack.callback(client.close)
        empty_image(client, IMAGE)
        yield DockerHost(client)
        assert client.containers.list(all=True) == []


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


async def test_its_own_package_lists_its_flags_and_parsers(host: DockerHost, vllm_executable: Path):
    """Without a GPU, a network, or an import of vLLM."""
    spec = spec_of(vllm_executable, "hermes")
    package = await in_thread(listed, host, spec)
    assert package.problem == ""
    assert package.version == "0.32.0"
    assert "--tool-call-parser" in package.flags
    assert len(package.flags) > 300
    assert {"gemma4", "hermes", "pythonic"} <= {*package.tool}


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


async def test_an_engine_without_tool_calls_is_tried_without_them(
    host: DockerHost, vllm_executable: Path
):
    """It may be meant so; a warning says what it is."""
    found = await tried(host, spec_of(vllm_executable, "hermes"))
    assert found["render"].answer is Answer.OK
    assert found["parsers"].answer is Answer.WARNING


async def test_a_flag_that_it_does_not_know_ends_the_trial(host: DockerHost, vllm_executable: Path):
    """Its own words say which one."""
    flags = ("--enable-auto-tool-choice", "--tool-call-parser", "gemma5")
    found = await tried(host, spec_of(vllm_executable, "hermes", *flags))
    assert found["render"].answer is Answer.REFUSED
    assert "invalid tool call parser: gemma5" in found["render"].came
