"""What a reply means, and what its receipt shows."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.alerts.http_receipt import (
    LONGEST_DETAIL_CHARS,
    masked,
    receipt_of,
    retry_after_s,
    secrets_of,
)
from supervisor.alerts.notifier import Receipt, Result, Secrets

NOW = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)


@pytest.mark.parametrize(
    ("statuses", "result"),
    [
        ((200, 201, 202, 204, 299), Result.OK),
        ((401, 403), Result.AUTH_ERROR),
        ((429,), Result.RATE_LIMITED),
        ((301, 302, 304, 307, 308, 400, 404, 409, 410, 413, 422, 499), Result.CLIENT_ERROR),
        ((408, 425, 500, 501, 502, 503, 504, 599), Result.SERVER_ERROR),
        ((101, 600, 999), Result.SERVER_ERROR),
    ],
)
def test_a_status_says_whether_to_try_again(statuses: tuple[int, ...], result: Result):
    """Refused for good, later, or taken."""
    receipts = [receipt_of(status, {}, NOW) for status in statuses]
    assert {receipt.result for receipt in receipts} == {result}
    assert tuple(receipt.status for receipt in receipts) == statuses


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        (" 120 ", 120),
        ("3601", 3600),
        ("9" * 5000, 3600),
        ("Sun, 06 Nov 1994 08:50:37 GMT", 60),
        ("Sunday, 06-Nov-94 08:50:37 GMT", 60),
        ("Sun Nov  6 08:50:37 1994", 60),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0),
        ("Sun, 06 Nov 1994 09:50:37 +0100", 60),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3600),
        ("Sun, 06 Nov 1994 08:49:36 GMT", None),
        *((garbage, None) for garbage in ("", "-1", "1.5", "soon", "١٢", "1e3", "Sun, 99 Foo")),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float | None):
    """At most an hour; what lies in the past or means nothing is left out."""
    assert retry_after_s(value, NOW) == seconds


@given(st.text())
def test_no_retry_after_breaks_the_reader(value: str):
    """Whatever a receiver writes there, the answer is a wait from zero to an hour, or nothing."""
    seconds = retry_after_s(value, NOW)
    assert seconds is None or 0 <= seconds <= 3600


@pytest.mark.parametrize(
    ("status", "seconds"), [(429, 7), (503, 7), (500, None), (408, None), (400, None), (200, None)]
)
def test_a_wait_is_kept_where_it_means_this_request(status: int, seconds: float | None):
    """By its name in any case, for 429 and 503 only."""
    assert receipt_of(status, {"RETRY-after": "7"}, NOW).retry_after_s == seconds


def test_what_was_taken_needs_no_words():
    """Its detail is empty, whatever the body says."""
    assert receipt_of(202, {}, NOW, line="queued") == Receipt(Result.OK, "", 202)


def test_a_refusal_shows_the_reply_s_words():
    """With control characters taken out, which would repaint a terminal."""
    receipt = receipt_of(400, {}, NOW, line="no \x1b[31mchannel\r\tops")
    assert receipt.detail == "HTTP 400: no [31mchannel ops"


def test_a_detail_has_an_end():
    """A page of HTML on one line is cut."""
    assert len(receipt_of(500, {}, NOW, line="x" * 5000).detail) == LONGEST_DETAIL_CHARS


def test_a_secret_is_masked_before_a_detail_is_cut():
    """No first half of it is left at the end."""
    secrets = Secrets(("hunter2-hunter2",))
    for before in range(170, 200):
        line = "x" * before + "hunter2-hunter2"
        assert "hunt" not in receipt_of(500, {}, NOW, line=line, secrets=secrets).detail


def test_a_redirect_shows_where_to_without_what_may_be_secret():
    """Scheme, host and port of the target: enough to correct the URL."""
    location = "https://user:pw@other.example:8443/hook/T0K3N?key=s3cret"
    detail = receipt_of(307, {"location": location}, NOW).detail
    assert detail == "HTTP 307: a redirect to https://other.example:8443 is not followed"
    relative = receipt_of(302, {"location": "/login?next=/hook/T0K3N"}, NOW).detail
    assert relative == "HTTP 302: a redirect is not followed"


URL = "https://ops:p%40ss@hooks.example:8443/services/T0K3N/B0T?key=s3cret&mode=a%20b#part"


@pytest.mark.parametrize(
    "shown",
    [
        *("/services/T0K3N/B0T", "/services/T0K3N/B0T?key=s3cret&mode=a%20b", "T0K3N", "s3cret"),
        *("key=s3cret&mode=a b", "p%40ss", "p@ss", "ops:p%40ss", "b3BzOnBAc3M=", URL, "b34rer"),
    ],
)
def test_what_is_secret_of_a_url_is_masked_however_it_is_written(shown: str):
    """Receivers repeat whole requests: quoted, unquoted, in parts, and as Basic credentials."""
    text = masked(f"cannot take [{shown}]", secrets_of(URL, "b34rer", None))
    assert text.startswith("cannot take [")
    assert shown not in text
    for part in ("T0K3N", "s3cret", "p@ss", "p%40ss", "b34rer"):
        assert part not in text


def test_a_url_without_a_path_hides_no_words():
    """A slash is not a secret."""
    text = "GET / is not allowed, use POST /api"
    assert masked(text, secrets_of("http://127.0.0.1:9093/")) == text


def test_a_provider_s_key_is_masked_although_nobody_named_it():
    """By its shape: receivers repeat annotations, and those quote errors of providers."""
    assert "AIza" not in masked(f"bad key AIza{'x' * 35}", Secrets())
