"""It serves the model by the name that is asked for, with the context that is expected."""

from collections.abc import Sequence

from supervisor.engine.facts import read_engine_facts
from supervisor.rollout.exchange.running import Swapping
from supervisor.rollout.finding import Answer, Finding


async def gate(swap: Swapping) -> Sequence[Finding]:
    """Ask what it serves."""
    facts = await read_engine_facts(swap.session, swap.url, key=swap.key)
    names, wanted = facts.names or (), swap.model
    asked = f"it serves {wanted!r}" if wanted else "it serves a model"
    came = ", ".join(names) or facts.problem or "nothing"
    if not names or (wanted and wanted not in names):
        return [Finding("model", Answer.REFUSED, asked, f"it serves {came}")]
    found = [Finding("model", Answer.OK, asked, came)]
    context = swap.file.expect.context
    has = facts.max_model_len.get(wanted or names[0])
    if context is not None:
        asked = f"{context:,} tokens of context"
        if has is None:
            found.append(Finding("context", Answer.UNKNOWN, asked, "it does not say"))
        else:
            answer = Answer.OK if has >= context else Answer.REFUSED
            found.append(Finding("context", answer, asked, f"{has:,} tokens"))
    return found
