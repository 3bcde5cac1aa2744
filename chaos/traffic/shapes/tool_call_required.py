"""A tool call that the request itself forces: another path through engines and gateways."""

from chaos.protocol.conversation import Ask, Turn
from chaos.traffic.note_tool import RECORD_NOTE, demand, expected, short_note
from chaos.traffic.shape import ClientProfile, Expectation, Task, TrafficShape


class ToolCallRequired(TrafficShape):
    """One call, ``tool_choice`` required."""

    name = "tool_call_required"
    summary = "The request forces a tool call; tool_choice required."
    needs_tools = True

    def task(self, nonce: str, *, max_tokens: int, profile: ClientProfile | None = None) -> Task:
        """Force the call; the nonce is an argument."""
        del profile
        arguments = short_note(nonce)
        ask = Ask(
            turns=(Turn("user", demand(RECORD_NOTE, arguments)),),
            tools=(RECORD_NOTE,),
            tool_choice="required",
            max_tokens=max_tokens,
        )
        return Task(ask, Expectation(calls=(expected(RECORD_NOTE, arguments),)))
