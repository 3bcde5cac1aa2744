"""Which drills share a cause, said by their axes: ``7 groups × billing × tool_call, agent``."""

from collections.abc import Sequence

from chaos.drill.report import DrillRow
from chaos.naming import all_or_count
from chaos.scenario.scenario import streaming_word

MOST_NAMED = 4
USUAL_SURFACES = ("chat_completions", "embeddings")


def axes(rows: Sequence[DrillRow]) -> str:
    """Say it as a product, but only where every combination is among *rows*."""
    drilled = {_axes(row) for row in rows}
    values = [list(dict.fromkeys(column)) for column in zip(*map(_axes, rows), strict=True)]
    combinations = 1
    for distinct in values:
        combinations *= len(distinct)
    groups = values[0]
    if len(drilled) != combinations:
        where = groups[0] if len(groups) == 1 else f"{len(groups)} groups"
        return f"{len(rows)} drills in {where}"
    _, triggers, depths, _, _, surfaces, _ = values
    parts = [all_or_count(groups, "groups")]
    if triggers != ["general"]:
        parts.append(", ".join(triggers))
    if len(depths) > 1:
        parts.append(f"depths {', '.join(depths)}")
    parts += [all_or_count(values[3], "faults", MOST_NAMED)]
    parts += [all_or_count(values[4], "shapes", MOST_NAMED)]
    if not all(surface in USUAL_SURFACES for surface in surfaces):
        parts.append(", ".join(surfaces))
    parts.append(" and ".join(values[6]))
    return " × ".join(parts)


def _axes(row: DrillRow) -> tuple[str, ...]:
    scenario = row.scenario
    return (
        scenario.group,
        scenario.trigger.value,
        str(scenario.depth),
        scenario.fault,
        scenario.shape,
        scenario.surface,
        {"stream": "streamed"}.get(word := streaming_word(stream=scenario.stream), word),
    )
