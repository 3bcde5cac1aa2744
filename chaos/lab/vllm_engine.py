"""A real vLLM on the CPU, with a tiny model: started, broken and started anew on purpose.

    VllmEngine ──► vllm serve (answers HTTP) ──► VLLM::EngineCore (runs the model)

The two are processes of their own, and that is why a health check can be green over an engine
that stands still: ``freeze`` stops the second and leaves the first.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import aiohttp

from chaos.http_client import open_session
from chaos.lab.engine_flags import EngineFlags
from chaos.lab.model_text import ModelFormat
from chaos.process import guarded_process
from chaos.process.guarded_process import HOST, GuardedProcess, held_port
from chaos.process.readiness import StartLimit, until_ready

MODELS = Path(__file__).with_name("tiny_models")
MODEL_OF = {ModelFormat.GEMMA4: "gemma4", ModelFormat.HERMES: "hermes"}
CORE = b"VLLM::EngineCore"
DEFAULT_LIMIT = StartLimit()
TIDY_WITHIN_S = 3.0

_ENVIRONMENT = {
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "HF_HUB_OFFLINE": "1",
    "PYTHONUNBUFFERED": "1",
}


def command(
    executable: Path, flags: EngineFlags, *, port: int, extra: Sequence[str] = ()
) -> list[str]:
    """Write the command that starts vLLM like *flags* say.

    Args:
        extra: Flags of vLLM that ``EngineFlags`` does not know; the last word on any flag.
    Raises:
        ValueError: *flags* ask for what only a simulation can do.
    """
    if flags.model_format not in MODEL_OF:
        raise ValueError(f"there is no tiny model that writes {flags.model_format}")
    if flags.first_token_after_s or flags.bare_arguments != "typed":
        raise ValueError("a real vLLM has no flag that makes it slow, or its arguments strings")
    words = [str(executable.absolute()), "serve", str(MODELS / MODEL_OF[flags.model_format])]
    words += ["--host", HOST, "--port", str(port)]
    words += ["--served-model-name", *flags.served_model_names]
    words += ["--max-model-len", str(flags.max_model_len)]
    # Compiling a model of 600,000 parameters takes longer than it could ever save.
    words += ["--enforce-eager", "--max-num-seqs", "8", "--enable-server-load-tracking"]
    if flags.enable_auto_tool_choice:
        words.append("--enable-auto-tool-choice")
    if flags.tool_call_parser is not None:
        words += ["--tool-call-parser", flags.tool_call_parser]
    if flags.reasoning_parser is not None:
        words += ["--reasoning-parser", flags.reasoning_parser]
    if flags.api_key is not None:
        words += ["--api-key", flags.api_key]
    if not flags.thinks:
        words += ["--default-chat-template-kwargs", '{"enable_thinking": false}']
    return [*words, *extra]


class VllmEngine:
    """One engine; an async context manager that serves while its block runs.

    Attributes:
        flags: How it was started last.
        log_path: What it says; begun anew at each start.
    """

    def __init__(
        self,
        executable: Path,
        directory: Path,
        flags: EngineFlags | None = None,
        *,
        extra: Sequence[str] = (),
        limit: StartLimit = DEFAULT_LIMIT,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.flags = flags or EngineFlags()
        self.log_path = directory / "vllm.log"
        self._executable = executable
        self._directory = directory
        self._extra = tuple(extra)
        self._limit = limit
        self._say = say
        self._held = contextlib.ExitStack()
        self._port = 0
        self._process: GuardedProcess | None = None

    async def __aenter__(self) -> Self:
        self._directory.mkdir(parents=True, exist_ok=True)
        # Held, so that the address answers "refused" while it is down, and stays ours.
        self._port = self._held.enter_context(held_port(None, of="vLLM"))
        try:
            await self._start()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self.stop()
        finally:
            self._held.close()

    @property
    def url(self) -> str:
        """Its root; the same after every restart."""
        return f"http://{HOST}:{self._port}"

    @property
    def base_url(self) -> str:
        """Where an OpenAI client points."""
        return f"{self.url}/v1"

    @property
    def running(self) -> bool:
        """The process that answers HTTP has not ended."""
        return self._process is not None and self._process.running

    async def restart(
        self,
        flags: EngineFlags | None = None,
        *,
        extra: Sequence[str] | None = None,
        **changes: Any,
    ) -> None:
        """Start anew; connections break, counters begin at zero.

        Args:
            flags: How; by default as it is.
            extra: Further flags of vLLM; by default those it has.
            changes: Fields of ``EngineFlags`` that differ from that.
        Raises:
            SetupError: It did not come up; in vLLM's own words.
        """
        flags = replace(flags or self.flags, **changes)
        extra = self._extra if extra is None else tuple(extra)
        command(self._executable, flags, port=self._port, extra=extra)
        await self.stop()
        self.flags, self._extra = flags, extra
        await self._start()

    async def stop(self) -> None:
        """End it, as ``docker stop`` would; does nothing when it is down."""
        process, self._process = self._process, None
        if process is not None:
            await process.stop(tidy_within_s=TIDY_WITHIN_S)

    def freeze(self) -> None:
        """Let the engine stand still; what answers HTTP goes on."""
        os.kill(self._core(), signal.SIGSTOP)

    def thaw(self) -> None:
        """Let the engine go on."""
        os.kill(self._core(), signal.SIGCONT)

    async def slow_down(self, *, runs_s: float = 0.002, stands_s: float = 0.1) -> None:
        """Let the engine run only for moments, until cancelled or until it has died."""
        with contextlib.suppress(ProcessLookupError):
            try:
                while True:
                    self.freeze()
                    await asyncio.sleep(stands_s)
                    self.thaw()
                    # Blocking on purpose: while this loop is busy elsewhere the engine stands.
                    time.sleep(runs_s)  # noqa: ASYNC251 -- see above
            finally:
                self.thaw()

    def kill_core(self) -> None:
        """Kill the engine, as the kernel does when memory ends."""
        os.kill(self._core(), signal.SIGKILL)

    async def _start(self) -> None:
        if self.flags.down:
            return
        self._say("Starting vLLM on the CPU; this takes about a minute")
        temporary = self._directory.absolute() / "tmp"
        temporary.mkdir(exist_ok=True)
        self._process = await guarded_process.start(
            command(self._executable, self.flags, port=self._port, extra=self._extra),
            directory=self._directory,
            log_path=self.log_path,
            remove=(self.log_path,),
            # Sockets and other things of its own, which it leaves behind when it is killed.
            environment={**_ENVIRONMENT, "TMPDIR": str(temporary)},
        )
        timeout = aiohttp.ClientTimeout(total=5)  # of one look; there are many
        async with open_session(timeout=timeout) as session:
            await until_ready(
                self._process,
                lambda: self._answers(session),
                name="vLLM",
                limit=self._limit,
                remedy="Fix the flag that it complains about. It needs 4 GB of free memory.",
                say=self._say,
            )
        if self.flags.hung:
            self.freeze()

    async def _answers(self, session: aiohttp.ClientSession) -> bool:
        try:
            async with session.get(f"{self.url}/health", allow_redirects=False) as reply:
                return reply.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    def _core(self) -> int:
        """Find the process that runs the model.

        Raises:
            ProcessLookupError: It does not run.
        """
        parent = self._process.pid if self._process is not None else -1
        for pid in _children(parent):
            with contextlib.suppress(OSError):
                if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(CORE):
                    return pid
        raise ProcessLookupError("vLLM's engine does not run")


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += map(int, tasks.read_text().split())
    return found
