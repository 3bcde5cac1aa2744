"""Read the numbers of an embedding."""

import math
from collections.abc import Sequence
from typing import Any

from chaos.protocol.json.defects import Defects
from chaos.protocol.reading import Defect


def numbers(values: Sequence[Any], where: str, found: Defects) -> tuple[float, ...]:
    """Take *values* as numbers; what is none is noted, and becomes ``nan``."""
    read = tuple(_number(value) for value in values)
    if any(map(math.isnan, read)):
        found.add(Defect.WRONG_SHAPE, f"{where} holds something else than numbers")
    return read


def _number(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.inf
