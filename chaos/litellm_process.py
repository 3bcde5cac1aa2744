"""A LiteLLM proxy as a process of ours: started, waited for, and gone when we are.

    we ──pipe──► guard (sh): when the pipe ends, remove the configuration, kill the group
     └─starts──► litellm, leader of that group

The pipe ends when we close it and also when we are killed, so nothing has to be alive and well
for the process to go. A changed configuration means another process.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from chaos.errors import SetupError
from chaos.port_holder import holder

HOST = "127.0.0.1"
LAST_LINES = 30
POLL_EVERY_S = 0.1
STOP_WITHIN_S = 5.0

# Runs as the leader of a new process group with our pipe as its standard input. The shell that
# it leaves behind is in the group too, so that one kill takes everything, workers included.
_GUARD = """
import os, sys
if os.fork() == 0:
    guard = 'read -r _; rm -f "$1"; kill -KILL 0'
    os.execv("/bin/sh", ["sh", "-c", guard, "sh", sys.argv[1]])
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
os.execv(sys.argv[2], sys.argv[2:])
"""

# All that LiteLLM sees of our environment: no provider's key, no proxy, nothing of ours.
_INHERITED = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR")
_OWN_ENVIRONMENT = {
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


@dataclass(slots=True)
class LiteLLMProcess:
    """A LiteLLM that answers.

    Attributes:
        pid: Its process id, which is its process group's too.
        log_path: Everything that it says.
    """

    url: str
    pid: int
    log_path: Path
    _process: asyncio.subprocess.Process = field(repr=False)
    _lifeline: int = field(repr=False)

    @property
    def running(self) -> bool:
        """It has not ended."""
        return self._process.returncode is None

    @property
    def exit_code(self) -> int | None:
        """What it ended with; negative for a signal, None while it runs."""
        return self._process.returncode

    async def stop(self) -> None:
        """End it and all that it started; does nothing when that is done."""
        if self._lifeline < 0:
            return
        try:
            if self.running:
                self._process.terminate()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(STOP_WITHIN_S):
                        await self._process.wait()
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            os.close(self._lifeline)
            self._lifeline = -1
        await self._process.wait()


@contextlib.asynccontextmanager
async def running_litellm(
    executable: Path,
    config: Mapping[str, Any],
    *,
    directory: Path,
    master_key: str,
    environment: Mapping[str, str] | None = None,
    port: int | None = None,
    ready_within_s: float = 120.0,
) -> AsyncIterator[LiteLLMProcess]:
    """Run LiteLLM with *config* until exit; it answers when this yields.

    Args:
        config: LiteLLM's own configuration; *master_key* is added to it.
        directory: Takes the configuration (readable by us alone, and gone afterwards, because
            it may hold keys) and the log; also its home.
        environment: Added to the few variables that it is given.
        port: Where it listens; by default a free port.
    Raises:
        SetupError: It did not come up; the message ends with its own last words.
    """
    directory.mkdir(parents=True, exist_ok=True)
    config_path = directory / "litellm.yaml"
    _write_private(config_path, yaml.safe_dump(_with_key(config, master_key), sort_keys=False))
    try:
        with _held_port(port) as held:
            process = await _start(
                executable,
                config_path,
                port=held,
                environment={
                    **{name: os.environ[name] for name in _INHERITED if name in os.environ},
                    "HOME": str(directory.absolute()),
                    **_OWN_ENVIRONMENT,
                    **(environment or {}),
                },
            )
            try:
                await _until_ready(process, ready_within_s)
                yield process
            finally:
                await process.stop()
    finally:
        config_path.unlink(missing_ok=True)


def _with_key(config: Mapping[str, Any], master_key: str) -> dict[str, Any]:
    general = {**(config.get("general_settings") or {}), "master_key": master_key}
    return {**config, "general_settings": general}


def _write_private(path: Path, text: str) -> None:
    # An old file may be readable by others, and would stay so.
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


@contextlib.contextmanager
def _held_port(port: int | None) -> Iterator[int]:
    """Keep a port for LiteLLM until exit, a free one if *port* is None.

    A socket that is bound and does not listen keeps the port from everybody who asks for any
    free one, but not from LiteLLM, which asks for this one by name with ``SO_REUSEADDR``.
    """
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            held.bind((HOST, port or 0))
        except OSError as error:
            raise SetupError(
                f"port {port} for LiteLLM is taken by {holder(port or 0)}",
                remedy="End that process, or name another port.",
            ) from error
        yield held.getsockname()[1]


async def _start(
    executable: Path, config_path: Path, *, port: int, environment: Mapping[str, str]
) -> LiteLLMProcess:
    log_path = config_path.with_suffix(".log")
    _write_private(log_path, "")
    command = [str(executable.absolute()), "--config", str(config_path.absolute())]
    listening = ["--host", HOST, "--port", str(port), "--telemetry", "False"]
    ours, lifeline = os.pipe()
    try:
        with log_path.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", "-c", _GUARD, str(config_path.absolute())),
                *command,
                *listening,
                stdin=ours,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                cwd=config_path.parent,
                env=dict(environment),
                start_new_session=True,
            )
    except BaseException:
        os.close(lifeline)
        raise
    finally:
        os.close(ours)
    return LiteLLMProcess(
        url=f"http://{HOST}:{port}",
        pid=process.pid,
        log_path=log_path,
        _process=process,
        _lifeline=lifeline,
    )


async def _until_ready(process: LiteLLMProcess, ready_within_s: float) -> None:
    """Wait until *process* answers.

    Raises:
        SetupError: It ended, or did not answer within *ready_within_s*.
    """
    deadline = time.monotonic() + ready_within_s
    timeout = aiohttp.ClientTimeout(total=5)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        while not await _is_alive(session, process.url):
            if not process.running:
                raise _not_up(process, f"ended with code {process.exit_code} before it answered")
            if time.monotonic() > deadline:
                raise _not_up(process, f"did not answer within {ready_within_s:g} s")
            await asyncio.sleep(POLL_EVERY_S)


async def _is_alive(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(f"{url}/health/liveliness") as reply:
            return reply.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


def _not_up(process: LiteLLMProcess, what: str) -> SetupError:
    lines = process.log_path.read_text("utf-8", errors="replace").splitlines()
    said = "\n".join(f"  {line}" for line in [line for line in lines if line.strip()][-LAST_LINES:])
    return SetupError(
        f"LiteLLM {what}; it said:\n{said or '  nothing'}",
        # The log's path is not told: its folder is mostly a temporary one, and gone by then.
        remedy="Mend in LiteLLM's configuration what it complains about.",
    )
