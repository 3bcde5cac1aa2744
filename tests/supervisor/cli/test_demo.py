"""The demo tells a true story, or says that it did not come out as told."""

import io
import re
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from chaos.lab.lab import BIN_VARIABLE
from chaos.lab.simulated_engine import SimulatedEngine
from supervisor.cli.demo import tell_the_story
from tests.fakes.commandline import understudy
from tests.fakes.terminal import CTRL_C, on_terminal
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.litellm


def test_all_four_steps_come_out_as_told_and_the_daemon_can_be_looked_at(
    litellm_executable: Path, tmp_path: Path
):
    """The real script, the real LiteLLM, a terminal: what each step is about is shown; Ctrl-C is
    how it ends, with the story's code, and nothing is left.
    """
    env = {BIN_VARIABLE: str(litellm_executable), "TMPDIR": str(tmp_path)}
    with on_terminal("demo", columns=100, **env) as terminal:
        terminal.until("go on until Ctrl-C")
        terminal.until("The page: http://127.0.0.1:")
        config = re.findall(r"--config (\S+understudy\.yaml)", terminal.shown)[-1]
        seen = understudy("status", "--config", config)
        assert "56 proven" in seen.stdout
        page = re.findall(r"The page: (http://\S+/)", terminal.shown)[-1]
        with urllib.request.urlopen(page, timeout=PATIENCE_S) as reply:
            assert "All 56 fallback paths proven" in reply.read().decode()
        terminal.press(CTRL_C)
        assert terminal.end() == 0
        assert terminal.left_running() == []
        told = " ".join(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.shown).split())
    assert list(tmp_path.iterdir()) == []
    for part in (
        "1. A gateway with eight model groups and no fallbacks",
        "credit balance is too low",
        "2. Chains are added",
        "hop_failed",
        "Plain chat passed 14 of 14 times",
        "Tool calls came through 0 of 14 times",
        "3. The engine is started again",
        "56 proven 100% of what can be proven is proven",
        "4. Someone changes the engine's tool-call parser",
        "GET /health of the engine: 200",
        "webhook FallbackBroken fires claude-opus",
        "'gemma' does not hold as the fallback of",
        "tool_call_leaked",
        "Start the engine with the parser that reads this: --tool-call-parser gemma4.",
        "The parser is put back.",
        "webhook FallbackBroken is over claude-opus",
        "Every path is proven again, and every alert is over.",
        "Now your own gateway: understudy drill --gateway",
    ):
        assert part in told
    assert told.count("no_fallback ") == 8
    assert "did not come out as told" not in told


async def test_a_step_that_comes_out_otherwise_fails_the_demo(
    litellm_executable: Path, monkeypatch: pytest.MonkeyPatch
):
    """An engine that leaks nothing under the wrong parser, but refuses, is noticed and named."""
    monkeypatch.setenv(BIN_VARIABLE, str(litellm_executable))
    restart = SimulatedEngine.restart

    async def refusing(self: SimulatedEngine, **flags: Any) -> None:
        if flags.get("tool_call_parser") == "hermes":
            flags = {"enable_auto_tool_choice": False, "tool_call_parser": None}
        elif flags.get("tool_call_parser") == "gemma4":
            flags["enable_auto_tool_choice"] = True
        await restart(self, **flags)

    monkeypatch.setattr(SimulatedEngine, "restart", refusing)
    out = Console(file=io.StringIO(), width=200)
    assert await tell_the_story(out, Console(file=io.StringIO()), print) == 1
    assert isinstance(out.file, io.StringIO)
    told = out.file.getvalue()
    expected = "only tool calls fail: tool_call_leaked"
    assert f"This step did not come out as expected: {expected}" in told
    assert "1 step(s) did not come out as expected." in told


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
