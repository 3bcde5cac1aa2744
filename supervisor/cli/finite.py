"""Numbers on the command line that are numbers: ``inf`` and ``nan`` are none."""

import math

import typer


def finite(value: float | None) -> float | None:
    """Refuse a number that is not finite; every option that takes a fraction has this callback.

    A least value lets infinity through, and a wait without an end is never over.

    Raises:
        BadParameter: It is infinite, or not a number.
    """
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is not a finite number.")
    return value
