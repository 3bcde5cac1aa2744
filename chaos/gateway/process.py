"""A LiteLLM proxy as a process of ours: started, waited for, and gone when we are.

A changed configuration means another process.
"""

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from chaos.http_client import open_session
from chaos.process import guarded_process
from chaos.process.guarded_process import HOST, GuardedProcess, held_port, write_private
from chaos.process.readiness import StartLimit, until_ready

DEFAULT_LIMIT = StartLimit()

OWN_ENVIRONMENT = {
    # Else it tries to download prices before it serves.
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_TELEMETRY": "False",
    "DO_NOT_TRACK": "1",
    # Else it downloads the tokenizers of some models in the middle of a request, and answers
    # nobody meanwhile (for minutes, where there is no network).
    "HF_HUB_OFFLINE": "1",
    # Else it reads a .env file where it finds one.
    "LITELLM_MODE": "PRODUCTION",
    "PYTHONUNBUFFERED": "1",
}


@dataclass(frozen=True, slots=True)
class LiteLLMProcess:
    """A LiteLLM that answers."""

    url: str
    process: GuardedProcess

    @property
    def pid(self) -> int:
        """Its process id, which is its process group's too."""
        return self.process.pid

    @property
    def log_path(self) -> Path:
        """Everything that it says."""
        return self.process.log_path

    @property
    def running(self) -> bool:
        """It has not ended."""
        return self.process.running

    async def stop(self) -> None:
        """End it and all that it started; does nothing when that is done."""
        await self.process.stop()


@contextlib.asynccontextmanager
async def running_litellm(
    executable: Path,
    config: Mapping[str, Any],
    *,
    directory: Path,
    master_key: str,
    environment: Mapping[str, str] | None = None,
    port: int | None = None,
    limit: StartLimit = DEFAULT_LIMIT,
    say: Callable[[str], None] = lambda _: None,
) -> AsyncIterator[LiteLLMProcess]:
    """Run LiteLLM with *config* until exit; it answers when this yields.

    Args:
        config: LiteLLM's own configuration; *master_key* is added to it.
        directory: Takes the configuration (readable by us alone, and gone afterwards, because
            it may hold keys) and the log; also its home. If we are killed, neither stays.
        environment: Added to the few variables that it is given.
        port: Where it listens; by default a free port.
        say: Takes progress while it starts.

    Raises:
        SetupError: It did not come up; the message ends with its own last words.
    """
    directory.mkdir(parents=True, exist_ok=True)
    config_path = directory / "litellm.yaml"
    log_path = config_path.with_suffix(".log")
    write_private(config_path, yaml.safe_dump(_with_key(config, master_key), sort_keys=False))
    try:
        with held_port(port, of="LiteLLM") as held:
            process = await guarded_process.start(
                [
                    *(str(executable.absolute()), "--config", str(config_path.absolute())),
                    *("--host", HOST, "--port", str(held), "--telemetry", "False"),
                ],
                directory=directory,
                log_path=log_path,
                environment={**OWN_ENVIRONMENT, **(environment or {})},
                remove=(config_path, log_path),
            )
            litellm = LiteLLMProcess(f"http://{HOST}:{held}", process)
            try:
                timeout = aiohttp.ClientTimeout(total=5)  # of one look; there are many
                async with open_session(timeout=timeout) as session:
                    await until_ready(
                        process,
                        lambda: _answers(session, litellm.url),
                        name="LiteLLM",
                        limit=limit,
                        remedy="Fix in LiteLLM's configuration what it complains about.",
                        say=say,
                    )
                yield litellm
            finally:
                await process.stop()
    finally:
        config_path.unlink(missing_ok=True)


def _with_key(config: Mapping[str, Any], master_key: str) -> dict[str, Any]:
    general = {**(config.get("general_settings") or {}), "master_key": master_key}
    return {**config, "general_settings": general}


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(f"{url}/health/liveliness", allow_redirects=False) as reply:
            return reply.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False
