"""The lab's real engine is started from flags, broken on purpose, and never left behind.

Here ``vllm`` is a stand-in of a few lines; ``tests/engine`` has the real one.
"""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from chaos.errors import SetupError
from chaos.lab.engine_flags import EngineFlags
from chaos.lab.model_text import ModelFormat
from chaos.lab.vllm_engine import MODELS, VllmEngine, command
from tests.patience import PATIENCE_S

FAKE = """#!{python}
import http.server, json, os, pathlib, subprocess, sys
if "--bad" in sys.argv:
    sys.exit("error: unrecognized arguments: --bad")
core = "while kill -0 $PPID 2>/dev/null; do sleep 0.02; done"
subprocess.Popen(["VLLM::EngineCore", "-c", core], executable="/bin/sh")
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(sys.argv).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments):
        pass
port = int(sys.argv[sys.argv.index("--port") + 1])
http.server.HTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""


@pytest.fixture
def executable(tmp_path) -> Path:
    """What starts, answers, and has an engine as its child, like vLLM."""
    path = tmp_path / "vllm"
    path.write_text(FAKE.format(python=sys.executable))
    path.chmod(0o755)
    return path


def state_of(pid: int) -> str:
    """The kernel's letter for a process; X if it is not there."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X"


async def becomes(pid: int, letters: str) -> None:
    """Wait until a process is in one of these states."""
    async with asyncio.timeout(PATIENCE_S):
        while state_of(pid) not in letters:
            await asyncio.sleep(0.01)


def test_the_command_says_what_the_flags_say():
    """Every flag that was given is on the command line, with the model that fits its format."""
    flags = EngineFlags(
        served_model_names=("a", "b"), max_model_len=4096, api_key="sk-made-up", thinks=False
    )
    words = command(Path("vllm"), flags, port=8000, extra=("--max-num-seqs", "1"))
    line = " ".join(words)
    assert f"serve {MODELS / 'gemma4'} " in line
    assert "--served-model-name a b --max-model-len 4096" in line
    assert "--enable-auto-tool-choice --tool-call-parser gemma4 --reasoning-parser gemma4" in line
    assert "--api-key sk-made-up" in line
    assert '{"enable_thinking": false}' in line
    assert line.endswith("--max-num-seqs 1")


def test_flags_that_were_not_given_are_not_on_the_command_line():
    """An engine without parsers is started without their flags."""
    flags = EngineFlags(enable_auto_tool_choice=False, tool_call_parser=None, reasoning_parser=None)
    words = command(Path("vllm"), flags, port=8000)
    assert not [word for word in words if "parser" in word or "tool" in word.partition("/")[0]]


@pytest.mark.parametrize(
    "changes",
    [
        {"model_format": ModelFormat.PYTHONIC},
        {"first_token_after_s": 2.0},
        {"bare_arguments": "strings"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_only_a_simulation_can_do_is_refused(changes):
    """A real engine is not started as something else than was asked for."""
    with pytest.raises(ValueError, match=r"no tiny model|no flag"):
        command(Path("vllm"), replace(EngineFlags(), **changes), port=8000)


async def test_it_keeps_its_address_over_a_restart(executable, tmp_path):
    """A restart with other flags serves at the same address, with the new command."""
    async with VllmEngine(executable, tmp_path / "run") as engine:
        before = engine.url
        await engine.restart(tool_call_parser="hermes", extra=("--swap-space", "0"))
        assert engine.url == before
        async with aiohttp.ClientSession() as session, session.get(f"{engine.url}/x") as reply:
            argv = await reply.json(content_type=None)
    assert argv[argv.index("--tool-call-parser") + 1] == "hermes"
    assert argv[-2:] == ["--swap-space", "0"]


async def test_an_engine_that_is_down_refuses_connections(executable, tmp_path):
    """While nothing runs, the address belongs to us and answers nobody."""
    async with (
        VllmEngine(executable, tmp_path / "run", EngineFlags(down=True)) as engine,
        aiohttp.ClientSession() as session,
    ):
        assert not engine.running
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(engine.url)


async def test_freezing_stops_the_engine_and_not_what_answers(executable, tmp_path):
    """A frozen engine still answers HTTP, and goes on when it is thawed."""
    async with (
        VllmEngine(executable, tmp_path / "run") as engine,
        aiohttp.ClientSession() as session,
    ):
        core = engine._core()
        engine.freeze()
        await becomes(core, "T")
        async with session.get(f"{engine.url}/health") as reply:
            assert reply.status == 200
        engine.thaw()
        await becomes(core, "SR")


async def test_it_takes_its_engine_with_it_even_when_that_stands_still(executable, tmp_path):
    """No process is left, also if the engine could not have heard the signal."""
    async with VllmEngine(executable, tmp_path / "run", EngineFlags(hung=True)) as engine:
        core = engine._core()
        await becomes(core, "T")
    await becomes(core, "XZ")
    with pytest.raises(ProcessLookupError):
        engine.kill_core()


async def test_a_start_that_fails_is_told_in_its_own_words(executable, tmp_path):
    """A flag that vLLM does not know gives vLLM's own message, and nothing stays."""
    with pytest.raises(
        SetupError, match=r"code 1 before.*\n  error: unrecognized arguments: --bad"
    ):
        async with VllmEngine(executable, tmp_path / "run", extra=("--bad",)):
            pass


async def test_a_slowed_engine_runs_again_afterwards(executable, tmp_path):
    """However the slowing ends, the engine is left running."""
    async with VllmEngine(executable, tmp_path / "run") as engine:
        core = engine._core()
        async with asyncio.TaskGroup() as tasks:
            slow = tasks.create_task(engine.slow_down(stands_s=0.02))
            await becomes(core, "T")
            slow.cancel()
        await becomes(core, "SR")


async def test_slowing_an_engine_that_dies_ends(executable, tmp_path):
    """An engine that is killed meanwhile ends the slowing, without an error."""
    async with VllmEngine(executable, tmp_path / "run") as engine:
        async with asyncio.TaskGroup() as tasks, asyncio.timeout(PATIENCE_S):
            tasks.create_task(engine.slow_down(stands_s=0.02))
            core = engine._core()
            await becomes(core, "T")
            engine.kill_core()
            await becomes(core, "XZ")
        assert engine.running
