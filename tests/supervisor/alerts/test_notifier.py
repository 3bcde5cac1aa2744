"""The contract of notifiers: which results are final, and what secrets leave in a text."""

import pytest

from supervisor.alerts.notifier import Notice, Result, Secrets
from tests.fakes.alert_receiver import FIRING
from tests.fakes.alerts import alert_change


@pytest.mark.parametrize(
    ("result", "final"),
    [
        (Result.OK, True),
        (Result.AUTH_ERROR, True),
        (Result.CLIENT_ERROR, True),
        (Result.RATE_LIMITED, False),
        (Result.SERVER_ERROR, False),
        (Result.UNREACHABLE, False),
    ],
)
def test_only_what_may_change_is_tried_again(result: Result, final: bool):
    """A refused key is refused again; a receiver that is down comes back."""
    assert result.is_final is final


def test_results_are_named_as_the_metric_names_them():
    """The values are the label ``result`` of notifications_total."""
    assert [str(result) for result in Result] == [
        *("ok", "authError", "rateLimited", "clientError", "serverError", "unreachable")
    ]


def test_secrets_are_masked_wherever_they_are():
    """More than once, and an empty one masks nothing."""
    assert Secrets(("", "s3cret")).masked("a s3cret, as3cretb") == "a ***, a***b"


def test_secrets_cannot_be_printed():
    """A log line with the object holds none of them."""
    assert "s3cret" not in repr(Secrets(("s3cret",)))


def test_a_notice_knows_its_alert():
    """By the label that Prometheus has for it."""
    assert FIRING.alertname == "FallbackBroken"


def test_a_notice_says_what_has_changed_and_where_to_look():
    """At the drill that found it, if a drill did."""
    annotations = {"summary": "broken", "drill": "7f", "runbook_url": "docs/alerts.md#x"}
    change = alert_change("d1", annotations=annotations)
    told = Notice.of(change, "http://box:8940")
    assert (told.delivery, told.firing, told.reason) == ("d1", change.firing, change.reason.value)
    assert (told.labels, told.fingerprint) == (change.labels, change.fingerprint)
    assert told.annotations == {
        "summary": "broken",
        "drill": "7f",
        "runbook_url": "http://box:8940/docs/alerts.md#x",
        "drill_url": "http://box:8940/drills/7f",
    }
    assert told.generator_url == "http://box:8940/drills/7f"
    assert told.external_url == "http://box:8940"


def test_a_notice_of_what_no_drill_found_leads_to_the_page():
    """There is no drill to look at."""
    told = Notice.of(alert_change("d1", annotations={"summary": "gone"}), "http://box:8940")
    assert told.annotations == {"summary": "gone"}
    assert told.generator_url == "http://box:8940/"
