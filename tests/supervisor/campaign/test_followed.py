"""The report of drills that run in a daemon."""

from supervisor.campaign.followed import FollowedReport
from tests.fakes.rows import failed, report, row

GATEWAY = {"url": "http://gateway", "litellm_version": "1.106.2", "stripped": []}


def test_what_the_events_told_is_in_the_report():
    """Before the end too: gateway, seed, what was spent, and what has not ended."""
    followed = FollowedReport()
    followed.planned({"drills": 3, "gateway": GATEWAY, "seed": 7})
    spent = {"requests": 2, "tokens": 30, "cost_usd": 0.25}
    followed.ended({"drill": row(id="first").model_dump(mode="json"), "spent": spent})
    made = followed.so_far()
    assert (made.gateway.url, made.seed) == ("http://gateway", 7)
    counts = made.summary
    assert (counts.passed, counts.not_started) == (1, 2)
    assert (counts.requests, counts.tokens, counts.cost_usd) == (2, 30, 0.25)


def test_a_drill_that_was_judged_anew_has_one_row():
    """The last word counts."""
    followed = FollowedReport()
    for one in (row(id="first"), failed(id="first")):
        followed.ended({"drill": one.model_dump(mode="json")})
    assert [one.kind for one in followed.so_far().drills] == [failed().kind]


def test_a_daemon_of_an_older_version_is_followed():
    """It tells neither seed nor gateway before the end."""
    followed = FollowedReport()
    followed.planned({"drills": 1})
    followed.ended({"drill": row().model_dump(mode="json")})
    assert followed.so_far().seed is None
    summary = report(row()).summary.model_dump(mode="json")
    del summary["not_started"]
    whole = followed.whole({"gateway": GATEWAY, "summary": summary})
    assert (whole.summary.passed, whole.summary.not_started) == (1, 0)
    assert whole.gateway.litellm_version == "1.106.2"
