"""Alerts for people."""

from datetime import timedelta

import pytest

from supervisor.cli.console import as_plain_text
from supervisor.reporting.alerts_table import draw, draw_deliveries
from supervisor.store.alerts.records import (
    Delivery,
    DeliveryState,
    NotifierRecord,
    Phase,
    Severity,
    Silence,
    Told,
)
from supervisor.web.answers.alerts import AlertsAnswer, ToldAnswer
from tests.fakes.alerts import alert_change, alert_state
from tests.fakes.manual_clock import NOON
from tests.fakes.snapshots import condition, snapshot


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal on which no line is broken."""
    monkeypatch.setenv("COLUMNS", "160")


def drawn(told=(), **changes):
    """Draw what is known."""
    return as_plain_text(draw(AlertsAnswer.of(snapshot(**changes), told)))


def delivery(state, result, detail="", ended=True):
    """What became of a change at one notifier."""
    ended_at = NOON + timedelta(seconds=1.5) if ended else None
    return Delivery(1, f"n-{state}", alert_change(), state, 2, NOON, ended_at, result, detail)


def test_without_alerts_and_notifiers_it_says_both():
    """Who has named nobody is told how."""
    text = drawn()
    assert "No alert fires." in text
    assert "name one below notifiers" in text


def test_the_most_urgent_comes_first_and_what_always_fires_is_left_out():
    """Pages, then tickets, with since when and what."""
    ticket = alert_state(
        name="Halted",
        labels={"alertname": "Halted"},
        severity=Severity.TICKET,
        annotations={"summary": "nothing is drilled"},
        phase=Phase.PENDING,
    )
    watchdog = alert_state(name="Watchdog", labels={"alertname": "Watchdog"})
    lines = drawn(alerts=(ticket, watchdog, alert_state())).splitlines()
    assert lines[1].startswith("FallbackBroken")
    assert "2026-03-01 12:00:00" in lines[1]
    assert lines[2].startswith("Halted (pending)")
    assert "Watchdog" not in "\n".join(lines)


def test_silences_and_notifiers_are_listed():
    """Until when and why nobody is told; who takes nothing, and what it said."""
    silence = Silence(7, {"group": "claude"}, "lunch", NOON, NOON + timedelta(hours=1))
    text = drawn(
        alerts=(alert_state(),),
        silences=(silence,),
        notifiers={"ops": NotifierRecord("ops", 3, 2, "authError", "status 403")},
        condition=condition(notifiers=("ops", "phone")),
    )
    assert "(silenced: lunch)" in text
    assert "group=claude" in text
    assert "2026-03-01 13:00 UTC" in text
    assert "authError: status 403" in text
    assert "never tried" in text


def test_what_was_told_is_listed_with_to_whom():
    """Reminders are left out; what a silence kept is said to have gone to nobody."""
    told = (
        Told(alert_change("d3"), (delivery(DeliveryState.TAKEN, "ok"),)),
        Told(alert_change("d2", reason="repeat"), ()),
        Told(alert_change("d1", firing=False, silence="lunch"), ()),
    )
    text = drawn(told)
    assert text.count("gemma does not hold") == 2
    assert "firing: gemma does not hold" in text
    assert "n-taken" in text
    assert "nobody: lunch" in text


def test_each_delivery_says_whether_it_arrived_and_how_long_it_took():
    """And why it did not."""
    told = Told(
        alert_change(),
        (
            delivery(DeliveryState.TAKEN, "ok"),
            delivery(DeliveryState.DEAD, "authError", "status 403"),
            delivery(DeliveryState.WAITING, "unreachable", "refused", ended=False),
        ),
    )
    text = as_plain_text(draw_deliveries(ToldAnswer.of(told)))
    assert "n-taken    taken    1.50 s  2" in text
    assert "authError: status 403" in text
    assert "unreachable: refused" in text


def test_a_test_that_a_silence_has_kept_is_said_to_have_reached_nobody():
    """No table without rows."""
    told = Told(alert_change(silence="lunch"), ())
    text = as_plain_text(draw_deliveries(ToldAnswer.of(told)))
    assert "Nobody was told, because of a silence: lunch" in text
