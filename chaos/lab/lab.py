"""A whole lab: simulated providers, an engine, and a real LiteLLM in front of them."""

import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from chaos.gateway.install import install_litellm
from chaos.gateway.process import DEFAULT_LIMIT, LiteLLMProcess, running_litellm
from chaos.gateway.redirect_permission import WITNESS_PORT
from chaos.lab.engine_flags import EngineFlags
from chaos.lab.install import install_vllm
from chaos.lab.lab_engine import LabEngine
from chaos.lab.setups import SETUPS, Setup, gateway_config
from chaos.lab.simulated_engine import SimulatedEngine
from chaos.lab.simulated_provider import SimulatedProvider, simulated_provider
from chaos.lab.vllm_engine import VllmEngine
from chaos.process.environment import Say, default_folder
from chaos.process.readiness import StartLimit
from chaos.registry import lookup

ENGINE_NAME = "gemma"
BIN_VARIABLE = "UNDERSTUDY_LITELLM_BIN"


@dataclass(slots=True)
class Lab:
    """A lab that runs; made by ``running_lab``.

    Attributes:
        key: Sends requests; here also the one that reads the topology.
        engines: Root URL of each engine by name.
    """

    key: str = field(repr=False)
    admin_key: str = field(repr=False)
    engines: Mapping[str, str]
    provider: SimulatedProvider
    engine: LabEngine
    directory: Path
    executable: Path
    witness_port: int
    limit: StartLimit
    say: Say = field(repr=False)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack, repr=False)
    _litellm: LiteLLMProcess | None = field(default=None, repr=False)

    @property
    def litellm(self) -> LiteLLMProcess:
        """The gateway's process now."""
        if self._litellm is None:
            raise RuntimeError("the lab's gateway has not been started")
        return self._litellm

    @property
    def gateway_url(self) -> str:
        """Where the gateway listens; the same after every restart."""
        return self.litellm.url

    async def restart_gateway(self, *, fallbacks: bool) -> None:
        """Start the gateway, anew if it runs, with fallbacks or without.

        Raises:
            SetupError: It did not come up.
        """
        port = None if self._litellm is None else int(self._litellm.url.rpartition(":")[2])
        await self._stack.aclose()
        config = gateway_config(
            provider_bases={
                dialect: self.provider.base_url(dialect)
                for dialect in ("anthropic", "openai", "gemini")
            },
            engine_base=self.engine.base_url,
            fallbacks=fallbacks,
            witness_port=self.witness_port,
            sees_pictures=self.engine.flags.multimodal,
        )
        self._litellm = await self._stack.enter_async_context(
            running_litellm(
                self.executable,
                config,
                directory=self.directory,
                master_key=self.admin_key,
                port=port,
                limit=self.limit,
                say=self.say,
            )
        )

    async def close(self) -> None:
        """Stop the gateway."""
        await self._stack.aclose()


@asynccontextmanager
async def running_lab(
    setup: str | Setup,
    directory: Path,
    *,
    say: Say,
    witness_port: int = WITNESS_PORT,
    engine_kind: str = "simulated",
    litellm: Path | None = None,
    vllm: Path | None = None,
    limit: StartLimit = DEFAULT_LIMIT,
) -> AsyncIterator[Lab]:
    """Run a lab until exit.

    Args:
        setup: One of ``SETUPS`` or its name.
        directory: Takes the gateway's configuration, and the logs.
        engine_kind: ``simulated``, or ``vllm`` for a real one on the CPU.
        witness_port: Where requests may be redirected to.
        litellm: LiteLLM's executable; by default that of the lab, installed if missing.
        vllm: vLLM's executable, likewise; nobody asks for it unless it is the kind of engine.
        limit: How long LiteLLM, and vLLM, may take to start.

    Raises:
        UsageError: There is no such set-up or kind of engine.
        SetupError: The gateway or the engine did not come up.
    """
    chosen = lookup("set-up", setup, SETUPS) if isinstance(setup, str) else setup
    make = lookup("kind of engine", engine_kind, ENGINE_KINDS)
    executable = litellm or await _litellm(say)
    made = await make(chosen.engine, directory / "engine", vllm, limit, say)
    async with simulated_provider() as provider, made as engine:
        key = f"sk-lab-{secrets.token_hex(24)}"
        lab = Lab(
            key=key,
            admin_key=key,
            engines={ENGINE_NAME: engine.url},
            provider=provider,
            engine=engine,
            directory=directory,
            executable=executable,
            witness_port=witness_port,
            limit=limit,
            say=say,
        )
        say("Starting LiteLLM; this takes about ten seconds")
        try:
            await lab.restart_gateway(fallbacks=chosen.fallbacks)
            yield lab
        finally:
            await lab.close()


async def _simulated(
    flags: EngineFlags, directory: Path, executable: Path | None, limit: StartLimit, say: Say
) -> AbstractAsyncContextManager[LabEngine]:
    """Make a simulated engine; it is there at once."""
    del directory, executable, limit, say
    return SimulatedEngine(flags)


async def _vllm(
    flags: EngineFlags, directory: Path, executable: Path | None, limit: StartLimit, say: Say
) -> AbstractAsyncContextManager[LabEngine]:
    """Make a real vLLM with a tiny model, which sees no pictures."""
    executable = executable or await install_vllm(default_folder(), say=say)
    flags = replace(flags, multimodal=False)
    return VllmEngine(executable, directory, flags, limit=limit, say=say)


MakeEngine = Callable[
    [EngineFlags, Path, Path | None, StartLimit, Say],
    Awaitable[AbstractAsyncContextManager[LabEngine]],
]
ENGINE_KINDS: Mapping[str, MakeEngine] = {"simulated": _simulated, "vllm": _vllm}
"""How each kind of engine is made. To add one: a function above, and its name here."""


async def _litellm(say: Say) -> Path:
    """Find LiteLLM's executable: the one named by the environment, else the lab's own."""
    named = os.environ.get(BIN_VARIABLE)
    return Path(named) if named else await install_litellm(default_folder(), say=say)
