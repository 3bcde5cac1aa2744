"""The engine's refusals are vLLM's, word for word."""

from dataclasses import replace
from typing import Any

import pytest

from chaos.lab.engine_flags import GEMMA, EngineFlags
from chaos.lab.engine_refusals import refusal, tokens_in
from chaos.protocol.conversation import Ask, ToolSpec, Turn

TOOL = ToolSpec("get_weather", "Tell the weather.", {"type": "object"})
ASK = Ask(turns=(Turn("user", "hello"),))
BODY = {"model": GEMMA}
GOOD = EngineFlags(max_model_len=4096)
NO_FLAGS = replace(GOOD, enable_auto_tool_choice=False, tool_call_parser=None)
PARSER_ONLY = replace(GOOD, enable_auto_tool_choice=False)
AUTO = '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'


def with_tools(choice: str = "auto") -> tuple[Ask, dict[str, Any]]:
    """Make a request with one tool."""
    return replace(ASK, tools=(TOOL,), tool_choice=choice), {**BODY, "tools": [{"x": 1}]}


@pytest.mark.parametrize(
    ("flags", "choice", "message"),
    [
        (NO_FLAGS, "auto", AUTO),
        (PARSER_ONLY, "auto", AUTO),
        (NO_FLAGS, "required", 'tool_choice="required" requires --tool-call-parser to be set'),
        (
            NO_FLAGS,
            "get_weather",
            'tool_choice=function "get_weather" requires --tool-call-parser to be set',
        ),
    ],
)
def test_tools_need_the_flags(flags: EngineFlags, choice: str, message: str):
    """An engine without tool-call flags answers 400 in vLLM's envelope."""
    refused = refusal(flags, *with_tools(choice))
    assert refused is not None
    assert refused.body == {
        "error": {"message": message, "type": "BadRequestError", "param": None, "code": 400}
    }


@pytest.mark.parametrize(
    ("flags", "choice"), [(NO_FLAGS, "none"), (PARSER_ONLY, "required"), (GOOD, "auto")]
)
def test_tools_that_need_no_flag_or_have_it_pass(flags: EngineFlags, choice: str):
    """Tools that may not be called need no flags; forced ones need only the parser."""
    assert refusal(flags, *with_tools(choice)) is None


def test_an_unknown_name_is_a_404_with_the_names_there_are():
    """The wrong model name is told together with the right ones."""
    refused = refusal(GOOD, ASK, {"model": "nope"})
    assert refused is not None
    assert refused.body == {
        "error": {
            "message": f"The model `nope` does not exist. Valid aliases: {GEMMA}.",
            "type": "NotFoundError",
            "param": "model",
            "code": 404,
        }
    }


@pytest.mark.parametrize(
    ("ask", "message", "param"),
    [
        (
            replace(ASK, max_tokens=5000),
            (
                "max_tokens=5000 cannot be greater than max_model_len=4096. Please request fewer "
                "output tokens. (parameter=max_tokens, value=5000)"
            ),
            "max_tokens",
        ),
        (
            Ask(turns=(Turn("user", "x" * 4 * 4097),)),
            (
                "This model's maximum context length is 4096 tokens. However, your prompt contains "
                "at least 4097 input tokens, which exceeds this limit even without any output "
                "tokens. Please reduce the length of the input prompt. "
                "(parameter=input_tokens, value=4097)"
            ),
            "input_tokens",
        ),
        (
            Ask(turns=(Turn("user", "x" * 4 * 2000),), max_tokens=4000),
            (
                "This model's maximum context length is 4096 tokens. However, you requested 4000 "
                "output tokens and your prompt contains at least 97 input tokens, for a total of "
                "at least 4097 tokens. Please reduce the length of the input prompt or the number "
                "of requested output tokens. (parameter=input_tokens, value=97)"
            ),
            "input_tokens",
        ),
    ],
)
def test_what_does_not_fit_is_refused(ask: Ask, message: str, param: str):
    """Too many output tokens, too long a prompt, and both together have texts of their own."""
    refused = refusal(GOOD, ask, BODY)
    assert refused is not None
    assert (refused.message, refused.param, refused.status) == (message, param, 400)


def test_what_just_fits_passes():
    """Prompt and answer may fill the context to its last token."""
    ask = Ask(turns=(Turn("user", "x" * 4 * 96),), max_tokens=4000)
    assert refusal(GOOD, ask, BODY) is None


def test_tools_count_as_prompt():
    """Tools are part of what has to fit."""
    ask = replace(ASK, tools=(replace(TOOL, description="x" * 4 * 4096),))
    refused = refusal(GOOD, ask, {**BODY, "tools": [{"x": 1}]})
    assert refused is not None
    assert refused.param == "input_tokens"


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (
            {"tools": []},
            (
                "`tools` must not be an empty array. Either provide at least one tool or omit the "
                "field entirely. (parameter=tools)"
            ),
        ),
        (
            {"tool_choice": "auto"},
            "When using `tool_choice`, `tools` must be set. (parameter=tool_choice)",
        ),
        ({"n": 2, "temperature": 0}, "n must be 1 when using greedy sampling, got 2."),
    ],
)
def test_malformed_requests_are_refused(extra: dict[str, Any], message: str):
    """What vLLM's own validation refuses is refused before anything else."""
    refused = refusal(GOOD, ASK, {"model": "nope", **extra})
    assert refused is not None
    assert (refused.status, refused.message) == (400, message)


def test_pictures_need_a_model_that_sees():
    """A picture sent to a text-only model is a 400."""
    ask = Ask(turns=(Turn("user", "what is this?", images=("AAAA",)),))
    assert refusal(GOOD, ask, BODY) is None
    refused = refusal(replace(GOOD, multimodal=False), ask, BODY)
    assert refused is not None
    assert refused.message.endswith("is not a multimodal model")


def test_tokens_are_counted_roughly():
    """Four characters are a token, and a begun one counts."""
    assert [tokens_in("x" * length) for length in (0, 1, 4, 5)] == [0, 1, 1, 2]
