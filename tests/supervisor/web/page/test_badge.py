"""The badge."""

from dataclasses import replace

import pytest

from supervisor.coverage.ledger import PathState
from supervisor.web.page.badge import COLOURS, badge_widths, badge_words
from tests.fakes.pages import healthy
from tests.fakes.snapshots import PATHS, PROVEN, snapshot


def standing(state: PathState):
    """Make a snapshot whose only path of claude is in *state*."""
    one = PATHS[PROVEN]
    path = replace(one, record=replace(one.record, state=state))
    return snapshot(paths={PROVEN: path})


@pytest.mark.parametrize(
    ("state", "words", "tone"),
    [
        (PathState.PROVEN, "proven 1h ago", "good"),
        (PathState.FAILED, "broken", "bad"),
        (PathState.STALE, "not proven lately", "none"),
        (PathState.NEVER_PROVEN, "not proven lately", "none"),
        (PathState.GAP, "not proven lately", "none"),
    ],
)
def test_it_says_whether_the_fallback_is_proven(state, words, tone):
    """Grey where that is no longer known, and never green for a gap."""
    assert badge_words(standing(state), "claude") == (words, tone)
    assert tone in COLOURS


def test_a_group_that_is_not_rehearsed_says_so():
    """The same words for a group that does not exist: names are not to be guessed."""
    assert badge_words(healthy(), "nothing") == ("not rehearsed", "none")


def test_it_never_names_a_hop():
    """Strangers see it."""
    assert "gemma" not in badge_words(standing(PathState.FAILED), "claude")[0]


def test_it_is_as_wide_as_its_words():
    """Longer words need more room."""
    assert badge_widths("broken")[1] < badge_widths("not proven lately")[1]
