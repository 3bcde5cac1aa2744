"""The command can keep what the file expects, and the gateway finds the model by its name."""

from collections.abc import Iterable

from supervisor.rollout.facts import RolloutFacts
from supervisor.rollout.finding import Answer, Finding


def check(facts: RolloutFacts) -> Iterable[Finding]:
    """Compare names and context length; the rest only a start shows."""
    command, expected = facts.command, facts.file.expect
    if command is None:
        return
    names = command.flags.get("--served-model-name") or ((command.model,) if command.model else ())
    if expected.model is not None and names and expected.model not in names:
        yield Finding(
            "model name",
            Answer.REFUSED,
            f"it serves {expected.model!r}",
            f"the command lets it serve {', '.join(names)}",
            f"Add: --served-model-name {expected.model}",
        )
    now = facts.engine.names if facts.engine is not None else None
    lost = [name for name in now or () if names and name not in names]
    if lost and expected.model is None:
        yield Finding(
            "model name",
            Answer.REFUSED,
            f"it goes on serving {', '.join(now or ())}",
            f"the command lets it serve {', '.join(names)}: whoever asks for {lost[0]!r} gets 404",
            f"Add: --served-model-name {' '.join(dict.fromkeys((*names, *lost)))}",
        )
    elif lost:
        yield Finding(
            "model name",
            Answer.WARNING,
            f"it goes on serving {', '.join(now or ())}",
            f"{', '.join(lost)} will be gone",
            "Change the gateway's model at the same time.",
        )
    elif names:
        yield Finding("model name", Answer.OK, "the gateway's name for it", ", ".join(names))
    length = command.value("--max-model-len")
    if expected.context is not None and length is not None and _tokens(length) is not None:
        tokens = _tokens(length) or 0
        kept = tokens >= expected.context
        yield Finding(
            "context",
            Answer.OK if kept else Answer.REFUSED,
            f"{expected.context:,} tokens of context",
            f"--max-model-len {length}",
            "" if kept else f"Give it --max-model-len {expected.context}, or expect less.",
        )


def _tokens(text: str) -> int | None:
    """Read a length as vLLM does: ``128k`` is 128,000, ``128K`` 131,072."""
    units = {"k": 1000, "m": 10**6, "g": 10**9, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
    unit = units.get(text[-1:], 1)
    number = text[:-1] if text[-1:] in units else text
    try:
        tokens = int(float(number) * unit)
    except ValueError:
        return None
    # Minus one is as long as fits.
    return tokens if tokens > 0 else None
