"""It writes one token: ``/health`` is green over an engine that stands still."""

from collections.abc import Sequence

from supervisor.rollout.exchange.running import Swapping
from supervisor.rollout.finding import Answer, Finding

WITHIN_S = 120.0
"""The first request compiles what the start did not."""


async def gate(swap: Swapping) -> Sequence[Finding]:
    """Ask for one token."""
    body = {
        "model": swap.model,
        "messages": [{"role": "user", "content": "Say hello."}],
        "max_tokens": 1,
    }
    asked = await swap.line.post("/v1/chat/completions", body, within_s=WITHIN_S)
    question = f"one token within {WITHIN_S:g} s"
    if asked.ok and isinstance(asked.json, dict) and asked.json.get("choices"):
        return [Finding("first token", Answer.OK, question, f"after {asked.took_s:.1f} s")]
    return [Finding("first token", Answer.REFUSED, question, f"{asked.told} {asked.text[:200]}")]
