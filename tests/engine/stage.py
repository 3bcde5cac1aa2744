"""What the tests of the real engine share: two vLLMs, a LiteLLM, and drills through all of it.

    claude ──► gemma   ──► vLLM with the tiny model that writes Gemma 4's format
    gpt    ──► hermes  ──► vLLM with the tiny model that writes the Hermes format
    haiku  ──► renamed ──► the first vLLM, under a name that it does not serve
    sonnet ──► tapped  ──► the first vLLM, behind a tap that sees each chunk as it passes

An engine takes a minute to start, so both are started at once, and only when they must differ.
"""

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp

from chaos.drill.report import DrillRow, ScenarioRow
from chaos.faults.fault import FaultName
from chaos.gateway.client import Gateway, open_gateway
from chaos.gateway.process import running_litellm
from chaos.gateway.redirect_permission import redirect_permission
from chaos.lab.engine_flags import GEMMA, EngineFlags
from chaos.lab.model_text import ModelFormat
from chaos.lab.simulated_provider import SimulatedProvider, simulated_provider
from chaos.lab.vllm_engine import VllmEngine
from chaos.process.ports import free_port
from chaos.scenario.expand import Selection
from supervisor.campaign.request import DrillRequest
from supervisor.campaign.run import run_drills
from supervisor.probes.depths.look import EngineReading, probe_engine
from supervisor.probes.depths.seen import Limits
from supervisor.settings.model import DrillSettings, GatewaySettings, Settings, WitnessSettings
from tests.engine.tap import Tap
from tests.patience import PATIENCE_S, slowness

PATIENT = Limits(answer_s=PATIENCE_S, first_token_s=PATIENCE_S, slow_s=PATIENCE_S)
"""What an engine is, whatever else this machine has to do."""

QWEN = "Qwen/Qwen3-4B"
SEED = 3
GEMMA_FLAGS = EngineFlags(multimodal=False)
HERMES_FLAGS = EngineFlags(
    served_model_names=(QWEN,),
    tool_call_parser="hermes",
    reasoning_parser="qwen3",
    model_format=ModelFormat.HERMES,
    multimodal=False,
)
NAMES = {"gemma": GEMMA, "hermes": QWEN, "renamed": "gemma-as-it-was-called", "tapped": GEMMA}
"""What the gateway asks each local group's engine for."""

CHAINS = {"claude": "gemma", "gpt": "hermes", "haiku": "renamed", "sonnet": "tapped"}
PRIMARIES = {
    "claude": "anthropic/claude-opus-4-5",
    "haiku": "anthropic/claude-haiku-4-5",
    "sonnet": "anthropic/claude-sonnet-4-5",
    "gpt": "openai/gpt-5",
}


@dataclass(frozen=True, slots=True)
class Start:
    """How one engine is to be started."""

    flags: EngineFlags
    extra: tuple[str, ...] = ()


@dataclass(slots=True)
class Stage:
    """Everything that runs."""

    gemma: VllmEngine
    hermes: VllmEngine
    tap: Tap
    gateway: Gateway
    provider: SimulatedProvider
    session: aiohttp.ClientSession
    witness_port: int
    started: dict[str, Start]

    def short_s(self) -> float:
        """Give a deadline that a hang misses, and that an attempt at the engine does not."""
        return 15.0 * slowness()

    async def engines(self, *, gemma: Start | None = None, hermes: Start | None = None) -> None:
        """Have both engines run as told, the default being well; waits only for what differs."""
        wanted = {
            "gemma": gemma or Start(GEMMA_FLAGS),
            "hermes": hermes or Start(HERMES_FLAGS),
        }
        async with asyncio.TaskGroup() as starting:
            for name, start in wanted.items():
                starting.create_task(self._have(name, start))

    async def _have(self, name: str, start: Start) -> None:
        engine: VllmEngine = getattr(self, name)
        if self.started.get(name) == start and engine.running:
            return
        self.started.pop(name, None)
        await engine.restart(start.flags, extra=start.extra)
        self.started[name] = start

    async def look(self, name: str, **options: Any) -> EngineReading:
        """Probe one engine, for the name that the gateway asks for."""
        options.setdefault("limits", PATIENT)
        engine: VllmEngine = getattr(self, name)
        return await probe_engine(
            self.session, engine.base_url, group=name, asked_for=(NAMES[name],), **options
        )

    async def drill(
        self,
        group: str,
        *,
        shapes: Sequence[str] = ("chat",),
        surfaces: Sequence[str] = ("chat_completions",),
        stream: bool | None = None,
        deadline_s: float = PATIENCE_S,
    ) -> Mapping[str, DrillRow]:
        """Make the primary of *group* decline its card; rows by ``shape/surface/streaming``."""
        address = f"127.0.0.1:{self.witness_port}"
        settings = Settings(
            gateway=GatewaySettings(url=self.gateway.url),
            witness=WitnessSettings(listen=(address,), url=f"http://{address}"),
            drills=DrillSettings(deadline_s=deadline_s),
        )
        selection = Selection(
            groups=(group,),
            faults=(FaultName("billing"),),
            shapes=tuple(shapes),
            surfaces=tuple(surfaces),
            depth=1,
            stream=stream,
        )
        # Always the same nonces: what a tiny model copies today it copies tomorrow.
        rng = random.Random(SEED)
        request = DrillRequest(selection, nonces=lambda: f"{rng.getrandbits(32):08x}")
        report = await run_drills(self.gateway, settings, request)
        return {_asked(row.scenario): row for row in report.drills}


def _asked(scenario: ScenarioRow) -> str:
    streaming = "stream" if scenario.stream else "whole"
    return f"{scenario.shape}/{scenario.surface}/{streaming}"


@asynccontextmanager
async def a_stage(*, litellm: Path, vllm: Path, directory: Path) -> AsyncIterator[Stage]:
    """Run everything but the engines, which the tests start as they need them."""
    port, key = free_port(), f"sk-{secrets.token_hex(24)}"
    async with AsyncExitStack() as stack:
        provider = await stack.enter_async_context(simulated_provider())
        session = await stack.enter_async_context(aiohttp.ClientSession())
        down = replace(GEMMA_FLAGS, down=True)
        gemma, hermes = [
            await stack.enter_async_context(VllmEngine(vllm, directory / name, down))
            for name in ("gemma", "hermes")
        ]
        tap = await stack.enter_async_context(Tap(gemma.url))
        config = _config(
            provider, {"gemma": gemma, "hermes": hermes, "renamed": gemma}, tap, witness_port=port
        )
        running = await stack.enter_async_context(
            running_litellm(litellm, config, directory=directory / "litellm", master_key=key)
        )
        gateway = await stack.enter_async_context(open_gateway(running.url, key=key, admin_key=key))
        yield Stage(gemma, hermes, tap, gateway, provider, session, port, {})


def _config(
    provider: SimulatedProvider, engines: Mapping[str, VllmEngine], tap: Tap, *, witness_port: int
) -> dict[str, object]:
    permission = {
        "configurable_clientside_auth_params": [{"api_base": redirect_permission(witness_port)}]
    }
    bases = {name: engine.base_url for name, engine in engines.items()} | {"tapped": tap.base_url}
    local = [
        {
            "model_name": name,
            "litellm_params": {
                "model": f"hosted_vllm/{served}",
                "api_base": bases[name],
                **permission,
            },
            "model_info": {"supports_function_calling": True, "supports_vision": False},
        }
        for name, served in NAMES.items()
    ]
    paid = [
        {
            "model_name": name,
            "litellm_params": {
                "model": model,
                "api_base": provider.base_url(model.partition("/")[0]),
                "api_key": "sk-lab-0123456789abcdef",
                **permission,
            },
        }
        for name, model in PRIMARIES.items()
    ]
    return {
        "model_list": [*paid, *local],
        "router_settings": {
            "num_retries": 0,
            "timeout": 60,
            "fallbacks": [{primary: [hop]} for primary, hop in CHAINS.items()],
        },
    }
