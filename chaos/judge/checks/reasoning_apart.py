"""Is reasoning, or the engine's own markup, kept out of the visible text?"""

from chaos.judge.check import Check, Finding, Kind, Where, failed, passed
from chaos.judge.evidence import has_answer, quote, source
from chaos.judge.leaks import leaked_call, stray_markup
from chaos.judge.observation import Observation
from chaos.protocol.reading import Reading
from chaos.scenario.plan import DrillPlan

NAME = "reasoning_apart"
_ENOUGH_CHARS = 20
"""Shorter reasoning may be in an answer by chance."""


def judge(plan: DrillPlan, seen: Observation) -> Finding:
    """Look for reasoning and control tokens in the client's text."""
    if not has_answer(seen):
        return passed(NAME, "There is no answer to be judged.")
    client, record = seen.reply.reading, source(seen)
    if plan.task.expect.calls and leaked_call(client.text, plan.task.expect.calls) is not None:
        return passed(NAME, "The text contains a tool call, which is judged as one.")
    own = record.reply if record is not None else None
    thoughts = [
        reading.reasoning.strip()
        for reading in (client, own)
        if reading is not None and len(reading.reasoning.strip()) >= _ENOUGH_CHARS
    ]
    leak = _leak(client.text, plan.task.ask.text, thoughts)
    if leak is None:
        return passed(NAME, "The text holds neither reasoning nor markup.")
    by_hop = isinstance(own, Reading) and _leak(own.text, plan.task.ask.text, thoughts) is not None
    hop = record.group if record is not None else None
    return failed(
        NAME,
        Kind.ANSWER_DEGRADED,
        f"The visible text holds {leak}: {quote(client.text, 120)}.",
        where=Where.HOP if by_hop else Where.GATEWAY,
        hop=hop,
        remedy="Start the engine with the reasoning parser of its model, or switch thinking off."
        if by_hop
        else "The hop keeps its reasoning apart, and the gateway mixes it in.",
    )


def _leak(text: str, asked: str, thoughts: list[str]) -> str | None:
    markup = stray_markup(text, asked)
    if markup is not None:
        return f"the markup {markup!r}"
    if any(thought in text for thought in thoughts):
        return "the model's reasoning"
    return None


REASONING_APART = Check(NAME, "Reasoning and markup stay out of the visible text.", judge)
