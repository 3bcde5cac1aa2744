"""A tool call that the model decides on: what fallbacks fail at most."""

from chaos.protocol.conversation import Ask, Turn
from chaos.traffic.note_tool import RECORD_NOTE, demand, expected, full_note
from chaos.traffic.shape import ClientProfile, Expectation, Task, TrafficShape


class ToolCallAuto(TrafficShape):
    """One call with arguments of every type, ``tool_choice`` auto."""

    name = "tool_call"
    summary = "The prompt demands one tool call with arguments of every type; tool_choice auto."
    needs_tools = True

    def task(self, nonce: str, *, max_tokens: int, profile: ClientProfile | None = None) -> Task:
        """Demand the call; the nonce is an argument."""
        del profile
        arguments = full_note(nonce)
        ask = Ask(
            turns=(Turn("user", demand(RECORD_NOTE, arguments)),),
            tools=(RECORD_NOTE,),
            max_tokens=max_tokens,
        )
        return Task(ask, Expectation(calls=(expected(RECORD_NOTE, arguments),)))
