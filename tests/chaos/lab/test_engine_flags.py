"""The simulated engine starts exactly where vLLM would."""

from typing import Any

import pytest

from chaos.lab.engine_flags import EngineFlags


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            {"tool_call_parser": None},
            "Error: --enable-auto-tool-choice requires --tool-call-parser",
        ),
        ({"tool_call_parser": "gemma5"}, "invalid tool call parser: gemma5 (chose from { gemma4,"),
        ({"reasoning_parser": "gemma5"}, "invalid reasoning parser: gemma5 (chose from { gemma4,"),
    ],
)
def test_it_refuses_what_vllm_refuses(flags: dict[str, Any], message: str):
    """Flags with which vLLM does not start are an error in vLLM's words."""
    with pytest.raises(ValueError) as told:
        EngineFlags(**flags)
    assert str(told.value).startswith(message)


def test_a_parser_without_auto_tool_choice_starts():
    """A real vLLM takes the parser without the other flag, and so do we."""
    assert EngineFlags(enable_auto_tool_choice=False).tool_call_parser == "gemma4"


def test_the_command_shows_the_flags():
    """People read from the command what a set-up lacks."""
    assert "--enable-auto-tool-choice --tool-call-parser gemma4" in EngineFlags().command
    bare = EngineFlags(enable_auto_tool_choice=False, tool_call_parser=None)
    assert "--tool-call-parser" not in bare.command
