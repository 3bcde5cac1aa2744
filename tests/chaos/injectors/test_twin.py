"""The twin: started from a configuration, drilled, and gone."""

import asyncio
import secrets

import pytest
import yaml

from chaos.errors import SetupError
from chaos.gateway import open_gateway
from chaos.injectors.twin import Twin, _same_version, _Turns, container_command
from chaos.lab.setups import gateway_config
from chaos.lab.simulated_engine import SimulatedEngine
from chaos.litellm_process import running_litellm
from chaos.port_holder import free_port
from chaos.scenario import Selection
from chaos.witness import Witness
from supervisor.drilling import DrillRequest, run_drills
from supervisor.settings import (
    DrillSettings,
    GatewaySettings,
    Settings,
    TwinSettings,
    WitnessSettings,
)


def test_a_container_runs_as_if_it_were_the_executable(tmp_path):
    """Its directory is read-only, its network the host's, its arguments LiteLLM's own."""
    assert container_command("litellm:x", tmp_path) == (
        "#!/bin/sh\n"
        "exec docker run --rm --init --network host "
        f"--volume '{tmp_path}:{tmp_path}:ro' 'litellm:x' \"$@\"\n"
    )


def test_a_twin_of_another_version_is_refused():
    """It would prove nothing about the gateway."""
    with pytest.raises(SetupError, match=r"is 1\.2, and the gateway's is 1\.3") as caught:
        _same_version("1.2", "1.3")
    assert "--litellm-bin" in caught.value.remedy
    _same_version("1.2", "1.2")
    _same_version("1.2", "")


async def test_who_needs_closed_doors_drills_alone():
    """A refused connection would hit every drill that uses the same deployment."""
    turns, order = _Turns(), []
    first_in, let_go = asyncio.Event(), asyncio.Event()

    async def together():
        async with turns.together():
            first_in.set()
            await let_go.wait()
            order.append("together")

    async def alone():
        await first_in.wait()
        async with turns.alone():
            order.append("alone")

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(together())
        tasks.create_task(alone())
        await first_in.wait()
        await asyncio.sleep(0)
        let_go.set()
    assert order == ["together", "alone"]


def drilling(port, config_file, executable):
    """Settings for drills by twin."""
    return Settings(
        gateway=GatewaySettings(url="http://127.0.0.1:1"),
        witness=WitnessSettings(listen=(f"127.0.0.1:{port}",), url=f"http://127.0.0.1:{port}"),
        drills=DrillSettings(injector="twin", deadline_s=20, concurrency=4),
        twin=TwinSettings(litellm_config=config_file, litellm_bin=executable),
    )


@pytest.mark.litellm
async def test_a_configuration_is_drilled_without_touching_the_gateway(
    litellm_executable, tmp_path
):
    """Faults, refused connections and good answers, all through a twin that is gone afterwards."""
    key, port = f"sk-{secrets.token_hex(24)}", free_port()
    async with SimulatedEngine() as engine:
        config = gateway_config(
            provider_bases=dict.fromkeys(("anthropic", "openai", "gemini"), "http://127.0.0.1:9"),
            engine_base=engine.base_url,
            fallbacks=True,
            witness_port=1,  # the running gateway permits nothing
        )
        file = tmp_path / "litellm-config.yaml"
        file.write_text(yaml.safe_dump(config), "utf-8")
        async with (
            running_litellm(
                litellm_executable, config, directory=tmp_path / "running", master_key=key
            ) as running,
            open_gateway(running.url, key=key, admin_key=key) as gateway,
        ):
            request = DrillRequest(
                Selection(
                    groups=("claude-opus", "gpt-5"),
                    faults=("billing", "connection_refused"),
                    shapes=("tool_call",),
                    surfaces=("chat_completions",),
                )
            )
            report = await run_drills(gateway, drilling(port, file, litellm_executable), request)
    assert {row.injector for row in report.drills} == {"twin"}
    assert report.summary.passed == len(report.drills) == 16
    refused = next(row for row in report.drills if "connection_refused" in row.scenario.key)
    assert (refused.hops[0].outcome, refused.hops[0].status) == ("faulted", None)


@pytest.mark.litellm
async def test_a_configuration_that_does_not_load_is_told_in_litellms_words(
    litellm_executable, tmp_path
):
    """A flat list of fallbacks is refused by LiteLLM itself, and it says why."""
    file = tmp_path / "bad.yaml"
    entry = {"model_name": "a", "litellm_params": {"model": "openai/x"}}
    broken = {"model_list": [entry], "router_settings": {"fallbacks": ["a", "b"]}}
    file.write_text(yaml.safe_dump(broken), "utf-8")
    async with Witness().serving([("127.0.0.1", 0)]) as witness:
        with pytest.raises(SetupError, match="Item 'a' is not a dictionary"):
            async with Twin.starting(
                witness, file, executable=litellm_executable, directory=tmp_path / "twin"
            ):
                pass
