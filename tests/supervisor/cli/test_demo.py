"""The demo tells a true story, or says that it did not come out as told."""

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from chaos.lab.lab import BIN_VARIABLE
from chaos.lab.simulated_engine import SimulatedEngine
from supervisor.cli.demo import tell_the_story
from tests.fakes.commandline import understudy
from tests.fakes.terminal import CTRL_C, on_terminal

pytestmark = pytest.mark.litellm


def test_all_four_steps_come_out_as_told(litellm_executable: Path):
    """The real script, the real LiteLLM: exit code 0, and what each step is about is shown."""
    ended = understudy("demo", "--once", **{BIN_VARIABLE: str(litellm_executable)})
    assert ended.returncode == 0, ended.stdout + ended.stderr
    told = " ".join(ended.stdout.split())
    for part in (
        "1. A gateway with eight model groups and no fallbacks",
        "credit balance is too low",
        "2. Chains are added",
        "hop_failed",
        "Plain chat passed 14 of 14 times",
        "Tool calls came through 0 of 14 times",
        "3. The engine is started again",
        "56 of 56 drills passed",
        "4. Someone changes the engine's tool-call parser",
        "GET /health of the engine: 200",
        "tool_call_leaked",
        "Now your own gateway: understudy drill --gateway",
    ):
        assert part in told
    assert told.count("no_fallback ") == 8
    assert "did not come out as told" not in told


async def test_a_step_that_comes_out_otherwise_fails_the_demo(
    litellm_executable: Path, monkeypatch: pytest.MonkeyPatch
):
    """An engine whose flags change nothing is noticed, and named, and the exit code is 1."""
    monkeypatch.setenv(BIN_VARIABLE, str(litellm_executable))
    restart = SimulatedEngine.restart

    async def without_flags(self: SimulatedEngine, **flags: Any) -> None:
        if "enable_auto_tool_choice" not in flags:
            await restart(self, **flags)

    monkeypatch.setattr(SimulatedEngine, "restart", without_flags)
    out = Console(file=io.StringIO(), width=200)
    assert await tell_the_story(out, Console(file=io.StringIO()), print) == 1
    assert isinstance(out.file, io.StringIO)
    told = out.file.getvalue()
    assert "This step did not come out as expected: everything passes" in told
    assert "This step did not come out as expected: tool calls fail: tool_call_leaked" in told
    assert "2 step(s) did not come out as expected." in told


def test_ctrl_c_ends_it_at_once(litellm_executable: Path, tmp_path: Path):
    """Also while LiteLLM is starting; no file with keys is left."""
    env = {BIN_VARIABLE: str(litellm_executable), "TMPDIR": str(tmp_path)}
    with on_terminal("demo", columns=100, **env) as terminal:
        terminal.until("Starting LiteLLM")
        terminal.press(CTRL_C)
        assert terminal.end() == 130
        assert terminal.left_running() == []
    assert list(tmp_path.iterdir()) == []
    assert "Traceback" not in terminal.shown
