"""Real incidents, as the gateway's own metrics show them."""

from datetime import timedelta

from chaos.gateway.other_traffic import Listed, OtherTraffic
from supervisor.daemon.incidents import QUIET, Incidents
from tests.fakes.manual_clock import NOON

LISTED = {"1": Listed("claude"), "2": Listed("gemma")}


def traffic(**counts):
    """Count failures of claude's deployment."""
    return OtherTraffic(LISTED, **{name: {"1": float(n)} for name, n in counts.items()})


def test_what_was_there_before_is_no_incident():
    """Counters begin with the gateway, not with us."""
    incidents = Incidents()
    incidents.note(traffic(failed=7), NOON)
    incidents.note(traffic(failed=7), NOON)
    assert incidents.of(["claude"], NOON) is None


def test_a_failure_of_real_traffic_is_one_for_a_while():
    """In its own group only."""
    incidents = Incidents()
    incidents.note(traffic(failed=7), NOON)
    incidents.note(traffic(failed=9), NOON)
    said = incidents.of(["gemma", "claude"], NOON)
    assert said == "claude failed 2 times for users at 12:00:00 UTC"
    assert incidents.of(["gemma"], NOON) is None
    assert incidents.of(["claude"], NOON + QUIET - timedelta(seconds=1)) is not None
    assert incidents.of(["claude"], NOON + QUIET) is None
    # The clock was set back since: nobody waits a day for it.
    assert incidents.of(["claude"], NOON - timedelta(days=1)) is None


def test_a_deployment_that_was_cooled_down_is_one():
    """Users are being sent elsewhere."""
    incidents = Incidents()
    incidents.note(traffic(), NOON)
    incidents.note(traffic(cooled=1), NOON)
    assert incidents.of(["claude"], NOON) == (
        "claude was cooled down once for users at 12:00:00 UTC"
    )


def test_our_own_failures_are_none():
    """Drills fail on purpose."""
    incidents = Incidents()
    incidents.note(traffic(), NOON)
    incidents.note(traffic(failed_for_us=5), NOON)
    assert incidents.of(["claude"], NOON) is None


def test_a_gateway_that_was_started_anew_is_none():
    """Its counters fall."""
    incidents = Incidents()
    incidents.note(traffic(failed=7), NOON)
    incidents.note(traffic(failed=0), NOON)
    assert incidents.of(["claude"], NOON) is None
