"""How often: a few times with every change, and as often as it takes by hand."""

import os

FULL = os.environ.get("UNDERSTUDY_FAULTS") == "full"


def times(short: int, full: int) -> int:
    """Choose how often something is done."""
    return full if FULL else short
