"""Which model stands for each of LiteLLM's wildcards: a drill asks for one model, not a pattern.

wildcards:
  "openai/*": openai/gpt-4o-mini
"""

from typing import Annotated

from pydantic import AfterValidator

from chaos.gateway.wildcards import STAR, matches


def _fitting(chosen: dict[str, str]) -> dict[str, str]:
    problems = [text for pair in chosen.items() if (text := _problem(*pair)) is not None]
    if problems:
        raise ValueError("; ".join(problems))
    return chosen


def _problem(pattern: str, model: str) -> str | None:
    if STAR not in pattern:
        return f"{pattern!r} has no * and is not a wildcard; drill it with --group {pattern}"
    if STAR in model:
        return f"{model!r} is a pattern itself; name one model that your clients ask for"
    if not model or not matches(pattern, model):
        such = pattern.replace(STAR, "NAME")
        return f"{pattern!r} does not match {model!r}; name a model such as {such}"
    return None


WildcardModels = Annotated[dict[str, str], AfterValidator(_fitting)]
