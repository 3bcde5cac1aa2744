"""One drill as its page shows it."""

import pytest

from chaos.judge.verdict import Outcome
from supervisor.web.page.drill import (
    HOP_TONES,
    HOP_WORDS,
    OUTCOME_TONES,
    WIDTH,
    drill_view,
    time_line,
)
from tests.fakes.pages import EVIL, SEEN, failed_drill
from tests.fakes.snapshots import stored_drill


def test_every_outcome_has_a_tone():
    """A new one would be shown without."""
    assert set(OUTCOME_TONES) == set(Outcome)
    assert set(HOP_TONES) == set(HOP_WORDS)


def test_a_failed_drill_shows_each_hop_and_its_exchange():
    """What it was asked, and what it said, without what is empty."""
    view = drill_view(failed_drill())
    assert view.hops == [
        ("claude", "none", "made to fail (billing), status 400"),
        ("gemma", "bad", "failed by itself, status 400"),
    ]
    assert [one.title for one in view.exchanges] == [
        "claude (anthropic): made to fail (billing), status 400",
        "gemma (vllm): failed by itself, status 400",
    ]
    assert "tools" not in view.exchanges[0].asked
    assert EVIL.replace('"', '\\"') in view.exchanges[0].asked
    assert view.kept


def test_attempts_are_drawn_between_question_and_end():
    """In the order of time, within the picture, with the deadline at its edge."""
    line = time_line(SEEN)
    assert line is not None
    assert [(bar.label, bar.tone) for bar in line.bars] == [("claude", "none"), ("gemma", "bad")]
    assert line.bars[0].x < line.bars[1].x
    assert all(bar.x >= 0 and bar.x + bar.width <= WIDTH for bar in line.bars)
    assert line.ends_x == pytest.approx(WIDTH - 40)
    assert line.deadline_x == WIDTH - 4
    assert line.bars[1].aloud == ("gemma: failed by itself, status 400, after 0.200 s, for 0.200 s")


def test_a_deadline_that_has_passed_is_drawn_where_it_was():
    """The attempt goes on beyond it."""
    reply = {"asked_at_s": 100.0, "deadline_s": 0.25, "total_s": None}
    late = {"reply": reply, "wire": SEEN["wire"]}
    line = time_line(late)
    assert line is not None
    assert line.ends_x is None
    assert line.deadline_x is not None
    assert line.bars[1].x < line.deadline_x < line.bars[1].x + line.bars[1].width


@pytest.mark.parametrize(
    "seen",
    [
        {},
        {"wire": None},
        {"wire": [], "reply": None},
        {"left_out": "more than 200000 characters"},
        {"wire": ["x", {"group": "a"}]},
    ],
)
def test_what_was_not_kept_is_not_drawn(seen):
    """Nothing reached the wire, or it was too much to keep, or of an older version."""
    assert time_line(seen) is None
    view = drill_view(stored_drill(seen=seen))
    assert view.time_line is None


def test_an_older_record_begins_with_its_first_attempt():
    """It does not know when the client asked."""
    wire = [{"group": "a", "outcome": "served", "started_at_s": 5.0, "ended_at_s": 6.0}]
    line = time_line({"wire": wire, "reply": {"total_s": 2.0}})
    assert line is not None
    assert (line.bars[0].x, line.deadline_x) == (0.0, None)


def test_a_drill_whose_exchange_is_gone_still_has_its_verdict():
    """Evidence of passes is kept for two days."""
    view = drill_view(stored_drill(seen=None))
    assert (view.kept, view.time_line, view.exchanges) == (False, None, [])
