"""It makes sense: wrong kernels give plausible garbage, at full speed and with a green health.

A fixed text is scored by the model itself. Of a text that people write, a model that works gives
each token a probability far above chance; kernels that compute wrongly do not. Where the old
engine was asked the same while it served, the two are compared. Engines that score no text are
asked to write one, which only finds the coarsest garbage.
"""

import math
import statistics
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from supervisor.probes.depths.ask import Line
from supervisor.rollout.exchange.running import Swapping
from supervisor.rollout.exchange.said import messages_of
from supervisor.rollout.finding import Answer, Finding

WITHIN_S = 120.0
TEXT = (
    "The capital of France is Paris. It lies on the river Seine, and more than two million people "
    "live there. One, two, three, four, five, six, seven, eight, nine, ten. Water boils at one "
    "hundred degrees Celsius, and freezes at zero. The days of the week are Monday, Tuesday, "
    "Wednesday, Thursday, Friday, Saturday and Sunday."
)
MOST_WORSE_NATS = 0.5
"""A token on average; another quantisation of the same model differs by less than a tenth."""

ASKED = "a fixed text is as likely to it as it was to the old engine"


async def score(line: Line, model: str) -> float | None:
    """Ask for the mean log-probability of the text, in nats a token; None if it tells none."""
    body = {
        "model": model,
        "prompt": TEXT,
        "max_tokens": 1,
        "temperature": 0,
        "prompt_logprobs": 0,
    }
    asked = await line.post("/v1/completions", body, within_s=WITHIN_S)
    if not asked.ok or not isinstance(asked.json, dict):
        return None
    choices = asked.json.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    rows = first.get("prompt_logprobs") if isinstance(first, dict) else None
    values = [value for row in rows or () for value in _values(row)]
    return statistics.fmean(values) if values else None


def _values(row: Any) -> list[float]:
    """Read one token's: the text's own, which stands first."""
    if not isinstance(row, dict) or not row:
        return []
    one = next(iter(row.values()))
    value = one.get("logprob") if isinstance(one, dict) else None
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return [float(str(value))] if known else []


async def gate(swap: Swapping) -> Sequence[Finding]:
    """Score it, or have it write."""
    now = await score(swap.line, swap.model)
    before = (swap.row.get("old") or {}).get("canary_nats")
    if now is None:
        return [await _written(swap)]
    if not math.isfinite(now):
        return [Finding("canary", Answer.REFUSED, ASKED, f"{now} nats a token: no number")]
    if before is None:
        came = f"{now:.2f} nats a token; the old one was not asked"
        return [Finding("canary", Answer.UNKNOWN, ASKED, came)]
    worse = float(before) - now
    # What is no number is worse than any: it is what broken kernels compute.
    answer = Answer.OK if worse <= MOST_WORSE_NATS else Answer.REFUSED
    came = f"{now:.2f} nats a token, {float(before):.2f} before"
    old, new = swap.row.get("old") or {}, swap.row.get("next") or {}
    if old.get("model") != new.get("model"):
        answer = Answer.UNKNOWN
        came += "; it is another model"
    return [Finding("canary", answer, ASKED, came)]


async def _written(swap: Swapping) -> Finding:
    asked_for = "what it writes is no garbage (it scores no text)"
    body = {
        "model": swap.model,
        "messages": [{"role": "user", "content": "Count from one to ten in words."}],
        "max_tokens": 256,
        "temperature": 0,
    }
    asked = await swap.line.post("/v1/chat/completions", body, within_s=WITHIN_S)
    message = next(iter(messages_of(asked.json if asked.ok else None)), {})
    said = ("content", "reasoning", "reasoning_content")
    text = next((str(message[name]) for name in said if message.get(name)), "")
    if not asked.ok or not text.strip():
        return Finding("canary", Answer.REFUSED, asked_for, f"{asked.told}, {text!r}")
    why = garbage(text)
    answer = Answer.REFUSED if why else Answer.OK
    return Finding("canary", answer, asked_for, f"{why + ': ' if why else ''}{text[:120]!r}")


def garbage(text: str) -> str:
    """Say how a text is no text; empty if it may be one."""
    words = text.split()
    run = longest = 1
    for one, other in pairwise(words):
        run = run + 1 if one == other else 1
        longest = max(longest, run)
    if longest > 8:
        return f"the same word {longest} times"
    letters = sum(letter.isalnum() or letter.isspace() for letter in text)
    if letters < len(text) / 2:
        return "more signs than letters"
    # A rule of dashes is a rule; sixty are more than any.
    return "the same sign again and again" if any(sign * 60 in text for sign in set(text)) else ""
