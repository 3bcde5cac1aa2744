"""What a benchmark runs on."""

from pathlib import Path

import pytest
from aiohttp import web

from chaos.http_client import open_session
from chaos.lab.engine_flags import GEMMA, EngineFlags
from chaos.lab.serving import serving
from chaos.lab.simulated_engine import SimulatedEngine
from supervisor.baseline import conditions
from supervisor.baseline.conditions import driver, look_at
from supervisor.settings.model import EngineSettings
from tests.fakes.docker import FakeContainer, docker_with

LOG = """
INFO vLLM API server version 0.32.0
INFO non-default args: {'model': '/m', 'api_key': ['sk-secret'], 'quantization': 'modelopt'}
INFO Using 'MARLIN' NvFp4 MoE backend out of potential backends: ['MARLIN'].
INFO Model loading took 15.3 GiB memory and 90.1 seconds
INFO GPU KV cache size: 1,048,576 tokens
"""


async def test_engine_log_and_machine_are_read_together(tmp_path: Path, monkeypatch):
    """What was chosen, what came of it, and no secret."""
    log = tmp_path / "vllm.log"
    log.write_text(LOG)
    driver_file = tmp_path / "version"
    driver_file.write_text(
        "NVRM version: NVIDIA UNIX Open Kernel Module for aarch64  580.95.05  Release Build\n"
    )
    monkeypatch.setattr(conditions, "DRIVER", driver_file)
    async with SimulatedEngine(EngineFlags()) as engine, open_session() as session:
        facts, known, boot = await look_at(
            session, EngineSettings(url=engine.url, log=log), key=None
        )
    assert facts.names == (GEMMA,)
    assert (known.model, known.version, known.quantization) == (GEMMA, "0.32.0", "modelopt")
    assert (known.moe_backend, known.weights_gib) == ("MARLIN", 15.3)
    assert (known.kv_cache_tokens, known.max_model_len) == (1_048_576, 65_536)
    assert known.driver == "580.95.05"
    assert known.arguments is not None
    assert "api_key" not in known.arguments
    assert boot is not None
    assert "sk-secret" not in known.model_dump_json()


async def test_what_cannot_be_read_is_left_open():
    """An engine without a log, a container or a GPU has a speed all the same."""
    async with SimulatedEngine(EngineFlags()) as engine, open_session() as session:
        named = EngineSettings(url=engine.url, log=Path("/no/such"))
        _, known, boot = await look_at(session, named, key=None)
    assert (known.image, known.arguments, known.moe_backend) == (None, None, None)
    assert boot is not None
    assert boot.told_by == "process"


async def test_the_boot_is_the_containers_where_one_is_named(tmp_path: Path, monkeypatch):
    """With its image, and a hash of its arguments; a container that is gone says nothing."""
    container = FakeContainer()
    with docker_with(container, tmp_path) as host:
        monkeypatch.setenv("DOCKER_HOST", host)
        async with SimulatedEngine(EngineFlags()) as engine, open_session() as session:
            named = EngineSettings(url=engine.url, container="vllm")
            _, known, boot = await look_at(session, named, key=None)
            gone = named.model_copy(update={"container": "other"})
            _, other, instead = await look_at(session, gone, key=None)
    assert boot is not None
    assert boot.told_by == "container"
    assert f"{boot.started_at:%F %T}" == "2026-11-24 00:27:50"
    assert known.image_digest == container.image
    assert known.arguments_hash is not None
    assert (other.image_digest, instead and instead.told_by) == (None, "process")


async def test_a_model_is_its_checkpoint_whatever_it_is_called():
    """Two names of one are one; an engine that names no checkpoint is known by what is asked."""
    rows = [
        {"id": "gemma", "root": "/m"},
        {"id": "gemma-4", "root": "/m"},
        {"id": "adapter", "root": "/a"},
        {"id": "bare"},
    ]

    async def models(_: web.Request) -> web.Response:
        return web.json_response({"data": rows})

    app = web.Application()
    app.router.add_get("/v1/models", models)
    found = {}
    async with serving(app) as url, open_session() as session:
        engine = EngineSettings(url=str(url).rstrip("/"))
        for name in ("gemma", "gemma-4", "adapter", "bare", None):
            _, known, _ = await look_at(session, engine, asked_for=name, key=None)
            found[name] = (known.model, known.served_name)
    assert found == {
        "gemma": ("/m", "gemma"),
        "gemma-4": ("/m", "gemma-4"),
        "adapter": ("/a", "adapter"),
        "bare": ("bare", "bare"),
        None: ("/m", "gemma"),
    }


async def test_an_engine_that_is_away_says_so_in_its_facts():
    """And raises nothing."""
    async with open_session() as session:
        facts, known, boot = await look_at(
            session, EngineSettings(url="http://127.0.0.1:9"), key=None
        )
    assert facts.problem
    assert (known.model, boot) == (None, None)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu Oct 19", "535.129.03"),
        ("something else", None),
    ],
)
def test_the_driver_is_named_as_the_kernel_names_it(tmp_path, monkeypatch, text, version):
    """None where there is no NVIDIA."""
    (tmp_path / "version").write_text(text)
    monkeypatch.setattr(conditions, "DRIVER", tmp_path / "version")
    assert driver() == version
    monkeypatch.setattr(conditions, "DRIVER", tmp_path / "absent")
    assert driver() is None
