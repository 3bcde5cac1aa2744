"""Two tool calls in one answer."""

from chaos.protocol.conversation import Ask, Turn
from chaos.traffic.note_tool import RECORD_NOTE, START_TIMER, demand, expected, short_note
from chaos.traffic.shape import ClientProfile, Expectation, Task, TrafficShape


class ParallelToolCalls(TrafficShape):
    """Two calls of two tools; that they may come together is what every API assumes by default."""

    name = "parallel_tool_calls"
    summary = "The prompt demands two tool calls in one answer."
    needs_tools = True

    def task(self, nonce: str, *, max_tokens: int, profile: ClientProfile | None = None) -> Task:
        """Demand both calls; the nonce is an argument of each."""
        del profile
        note, timer = short_note(nonce), {"label": nonce, "minutes": 5}
        prompt = (
            "Make these two tool calls together, in one answer.\n"
            f"1. {demand(RECORD_NOTE, note)}\n"
            f"2. {demand(START_TIMER, timer)}"
        )
        ask = Ask(
            turns=(Turn("user", prompt),),
            tools=(RECORD_NOTE, START_TIMER),
            max_tokens=max_tokens,
        )
        calls = (expected(RECORD_NOTE, note), expected(START_TIMER, timer))
        return Task(ask, Expectation(calls=calls))
