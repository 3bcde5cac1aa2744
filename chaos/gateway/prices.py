"""What a request may cost at most, before it is sent, and where its usage stays unknown."""

import json
from collections.abc import Iterable

from chaos.gateway.topology import Deployment
from chaos.protocol.conversation import Ask

CHARACTERS_PER_TOKEN = 3
"""Fewer than any tokenizer gets out of English, so that a prompt is never underrated."""

IMAGE_TOKENS = 2_000
"""More than any provider counts for a picture as small as a drill's."""

UNBOUNDED_TOKENS = 32_000
"""The longest answer where the request sets no limit."""


def most_tokens(ask: Ask) -> tuple[int, int]:
    """Count the tokens of *ask* and of its longest answers, rather too many than too few."""
    calls = [call.arguments for turn in ask.turns for call in turn.tool_calls]
    tools = [[tool.name, tool.description, tool.parameters] for tool in ask.tools]
    schema = ask.response_schema.schema if ask.response_schema else {}
    written = ask.text + json.dumps([tools, schema, ask.extra or {}, calls], default=dict)
    images = sum(len(turn.images) for turn in ask.turns)
    asked = -(-len(written) // CHARACTERS_PER_TOKEN) + images * IMAGE_TOKENS
    return asked, 0 if ask.inputs else _longest_answer(ask)


def _longest_answer(ask: Ask) -> int:
    extra = ask.extra or {}
    limits = [ask.max_tokens, *(extra.get(name) for name in _LIMITS)]
    numbers = [limit for limit in limits if isinstance(limit, int)]
    answers = extra.get("n")
    return max(numbers, default=UNBOUNDED_TOKENS) * (answers if isinstance(answers, int) else 1)


_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")


def price_usd(deployments: Iterable[Deployment], tokens_in: int, tokens_out: int) -> float | None:
    """Price a request at the dearest of *deployments*; None if the price of one is not known.

    A local one costs nothing.
    """
    most_usd = 0.0
    for deployment in deployments:
        if deployment.local:
            continue
        price_in, price_out = deployment.input_cost_per_token, deployment.output_cost_per_token
        if price_in is None or price_out is None:
            return None
        most_usd = max(most_usd, tokens_in * price_in + tokens_out * price_out)
    return most_usd
