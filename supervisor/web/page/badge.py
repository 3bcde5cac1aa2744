"""``/badge/GROUP.svg``: "fallback proven 3 h ago", as a picture for other pages. Pure."""

from collections.abc import Mapping

from supervisor.age import ago
from supervisor.coverage.ledger import PathState
from supervisor.status import PROVEN, Status

COLOURS: Mapping[str, str] = {"good": "#1a7f37", "bad": "#b42318", "none": "#57606a"}
LETTER = 6.6
"""Width of a character, about, in units of the picture."""


def badge_words(status: Status, group: str) -> tuple[str, str]:
    """Say how the fallback of *group* is, and in which tone; never what it falls back to."""
    states = [
        (record.state, record.passed_at)
        for path, record in status.ledger.items()
        if path.group == group
    ]
    if not states:
        return "not rehearsed", "none"
    if any(state is PathState.FAILED for state, _ in states):
        return "broken", "bad"
    counted = [(state, at) for state, at in states if state is not PathState.GAP]
    if counted and all(state in PROVEN for state, _ in counted):
        oldest = min((at for _, at in counted if at is not None), default=None)
        return f"proven {ago(oldest, status.at, units=1)}", "good"
    return "not proven lately", "none"


def badge_widths(words: str) -> tuple[float, float]:
    """Measure both halves."""
    return 8 * LETTER + 12, len(words) * LETTER + 12
