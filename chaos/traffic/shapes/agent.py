"""A request as a real agent sends it: what small local models and their settings refuse.

Source: github.com/BerriAI/litellm/issues/12680: a fallback whose prompt fits is refused for the
``max_tokens`` that agents ask for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chaos.protocol.conversation import Ask, Json, ToolSpec, Turn
from chaos.traffic.agent_handbook import handbook
from chaos.traffic.agent_tools import FILE_REPORT, TOOLS
from chaos.traffic.note_tool import demand, expected
from chaos.traffic.shape import ClientProfile, Expectation, Task, TrafficShape

MAX_TOKENS = 32_000
HANDBOOK_CHARACTERS = 48_000
"""With the tools about 15,000 tokens."""

_OURS = frozenset(
    {"model", "messages", "input", "system", "stream", "tools", "tool_choice", "max_tokens"}
)
"""What a profile cannot add by name: it makes the drill, or has a field of its own."""

_OTHER_LIMITS = frozenset({"max_completion_tokens", "max_output_tokens"})


@dataclass(frozen=True, slots=True)
class Agent(TrafficShape):
    """A long system prompt, twenty tools with nested schemas, a large answer, one call.

    A client profile takes the place of prompt, tools and parameters. The tool to be called is
    ours in any case: a call of somebody's own could be one that a good model declines.

    Attributes:
        handbook_characters: How long the system prompt is.
    """

    name: str = "agent"
    summary: str = (
        "As agents ask: 15,000 tokens of prompt, 20 nested tools, 32,000 max_tokens; --as FILE."
    )
    handbook_characters: int = HANDBOOK_CHARACTERS

    needs_tools = True

    def task(self, nonce: str, *, max_tokens: int, profile: ClientProfile | None = None) -> Task:
        """Demand one call; *max_tokens* of ordinary drills does not count here."""
        del max_tokens
        profile = profile or ClientProfile()
        arguments = report(nonce)
        request = f"The task is finished. {demand(FILE_REPORT, arguments)} Call nothing else."
        system = handbook(self.handbook_characters) if profile.system is None else profile.system
        ask = Ask(
            turns=(*([Turn("system", system)] if system else []), Turn("user", request)),
            tools=_tools(profile),
            max_tokens=_max_tokens(profile),
            extra={k: v for k, v in profile.parameters.items() if k not in _OURS} or None,
        )
        return Task(ask, Expectation(calls=(expected(FILE_REPORT, arguments),)))


def report(nonce: str) -> Json:
    """Fill the arguments of ``file_report``; its token is *nonce*."""
    return {
        "report": {
            "token": nonce,
            "severity": "low",
            "attempts": 2,
            "finished": True,
            "steps": ["read", "verify"],
        }
    }


def _max_tokens(profile: ClientProfile) -> int | None:
    told = profile.parameters.get("max_tokens")
    if isinstance(told, int):
        return told
    return None if _OTHER_LIMITS & profile.parameters.keys() else MAX_TOKENS


def _tools(profile: ClientProfile) -> tuple[ToolSpec, ...]:
    if not profile.tools:
        return TOOLS
    own = (_tool(raw) for raw in profile.tools)
    return (*(tool for tool in own if tool.name not in ("", FILE_REPORT.name)), FILE_REPORT)


def _tool(raw: Json) -> ToolSpec:
    told: Any = raw.get("function", raw)
    told = told if isinstance(told, Mapping) else {}
    schema = told.get("parameters", told.get("input_schema"))
    return ToolSpec(
        name=str(told.get("name", "")),
        description=str(told.get("description", "")),
        parameters=schema if isinstance(schema, Mapping) else {"type": "object", "properties": {}},
    )
