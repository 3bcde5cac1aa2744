"""Its start-up log has what it must have, and nothing that it must not."""

from collections.abc import Sequence

from supervisor.rollout.exchange.running import Swapping
from supervisor.rollout.finding import Answer, Finding

MOST_QUOTED = 300


def forbidden(log: str, texts: Sequence[str]) -> str:
    """Find the first line with a text that must not be there; empty if there is none."""
    for line in log.splitlines():
        if any(text in line for text in texts):
            return line.strip()[:MOST_QUOTED]
    return ""


async def gate(swap: Swapping) -> Sequence[Finding]:
    """Read it whole, once it serves."""
    expect = swap.file.expect
    found = []
    for text in expect.log:
        there = forbidden(swap.log, [text])
        found.append(
            Finding(
                "log",
                Answer.OK if there else Answer.REFUSED,
                f"its log has {text!r}",
                there or "it has not",
            )
        )
    line = forbidden(swap.log, expect.forbidden_log)
    if expect.forbidden_log:
        asked = f"its log has none of {', '.join(map(repr, expect.forbidden_log))}"
        answer = Answer.REFUSED if line else Answer.OK
        found.append(Finding("log", answer, asked, line or "it has none"))
    return found
