"""What a snapshot says of itself."""

from dataclasses import replace
from datetime import timedelta

from chaos.judge.verdict import Outcome
from supervisor.coverage.ledger import FaultVerdict, PathState
from supervisor.status import Condition, PathStatus, Status, why_next
from supervisor.store.records import Counts
from tests.fakes.ledgers import new_path
from tests.fakes.manual_clock import NOON

HERE = Condition("spark-1", "http://g", "1", NOON, "the store")


def status(**states):
    """Make a snapshot with so many paths in each state."""
    return Status(NOON, HERE, counts=Counts({PathState(s): n for s, n in states.items()}))


def test_the_coverage_is_the_share_of_what_can_be_proven():
    """Gaps and accepted failures count for neither side; late ones are not proven."""
    assert status(proven=2, routed=1, late=1).coverage_ratio == 0.75
    assert status(proven=1, gap=5, accepted=5).coverage_ratio == 1.0
    assert status(failed=3).coverage_ratio == 0.0


def test_nothing_to_prove_is_no_coverage():
    """Neither all of it nor none."""
    assert status().coverage_ratio is None
    assert status(gap=3).coverage_ratio is None


def test_a_path_shows_the_kind_of_its_newest_failure():
    """A pass has none, and a failure that was resolved is no longer shown."""
    billing = FaultVerdict("billing", NOON, Outcome.FAILED, NOON, "d1", "hop_failed")
    hang = FaultVerdict("hang", NOON, Outcome.PASSED, NOON, "d2")
    assert PathStatus(new_path(), (hang, billing)).kind == "hop_failed"
    assert PathStatus(new_path(), (hang,)).kind is None
    assert PathStatus(new_path(), (hang, FaultVerdict("billing"))).tried == 1


def test_problems_say_why_the_daemon_cannot_do_its_job():
    """The store, the gateway, and that it stops."""
    assert status().problems == ()
    troubled = replace(HERE, store_trouble="full", gateway_trouble="down", stopping=True)
    assert Status(NOON, troubled).problems == (
        "the daemon stops",
        "full",
        "down",
    )


def test_it_says_why_a_path_is_next_or_when_there_will_be_one():
    """In words."""
    assert why_next(new_path(), None, NOON).startswith("due for 0s")
    assert why_next(None, None, NOON) == "there is nothing to rehearse"
    soon = why_next(None, NOON + timedelta(hours=1), NOON)
    assert soon == "nothing is due before 2026-03-01 13:00:00+00:00"
