"""A drill holds what the record holds of it."""

import json

import pytest

from supervisor.web.answers.drills import DrillAnswer, DrillsAnswer, EvidenceAnswer
from tests.fakes.snapshots import (
    GATEWAY,
    PROVEN,
    stored_drill,
)
from tests.supervisor.web.answers.sent import as_json


def test_a_drill_holds_its_row_and_where_it_belongs():
    """The row is that of the published report, unchanged."""
    stored = stored_drill(campaign="c1", requests=3, tokens=250, cost_usd=0.02)
    answer = as_json(DrillAnswer.of(stored))
    assert answer.pop("drill") == json.loads(stored.row.model_dump_json())
    assert answer == {
        "path": str(PROVEN),
        "daemon": "spark-1",
        "gateway": GATEWAY,
        "campaign": "c1",
        "ended_at": "2026-03-01T12:00:00Z",
        "requests": 3,
        "tokens": 250,
        "cost_usd": 0.02,
    }


@pytest.mark.parametrize("seen", [None, {}, {"wire": [{"status": 200}]}])
def test_evidence_is_a_drill_with_what_was_observed(seen):
    """Null where it is no longer kept, which differs from an empty observation."""
    stored = stored_drill(seen=seen)
    answer = as_json(EvidenceAnswer.of(stored))
    assert answer.pop("seen") == seen
    assert answer == as_json(DrillAnswer.of(stored))


@pytest.mark.parametrize(("found", "limit", "before"), [(2, 2, "d1"), (1, 2, None), (0, 2, None)])
def test_a_full_page_names_where_the_next_begins(found, limit, before):
    """Its last drill is named; a page that is not full is the last."""
    page = DrillsAnswer.of([stored_drill(f"d{each}") for each in range(found)], limit)
    assert page.before == before
    assert [each.drill.id for each in page.drills] == [f"d{each}" for each in range(found)]
