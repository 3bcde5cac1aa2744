"""What every notifier keeps, whatever its kind."""

import logging
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from chaos.errors import UsageError
from supervisor.alerts.notifier import Notifier, Result
from supervisor.alerts.notifiers import KINDS, notifiers_of
from supervisor.settings.alerting import NotifierSettings
from tests.fakes.alert_receiver import (
    FIRING,
    RESOLVED,
    Receiver,
    breaks_off,
    closes_early,
    hangs,
    speaks_no_http,
)
from tests.fakes.server import serving

SECRETS = {
    "PLACE": "http://HOST/hook/s3cret-path?key=s3cret-query",
    "SIGNING": "s3cret-signing",
    "TOKEN": "s3cret-token",
    "CHANNEL": "json://s3cret-user:s3cret-pass@HOST/s3cret-path",
}
EXAMPLES: dict[str, dict[str, Any]] = {
    "webhook": {
        "url": {"env": "PLACE"},
        "secret": {"env": "SIGNING"},
        "token": {"env": "TOKEN"},
    },
    "alertmanager": {"url": "http://HOST", "token": {"env": "TOKEN"}},
    "apprise": {"url": {"env": "CHANNEL"}},
}
"""One of each kind, with every secret that it can have; HOST is where the server is."""

every_kind = pytest.mark.parametrize("kind", KINDS)

Make = Callable[..., Notifier]


@pytest.fixture
def make(session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Build an example for a base URL, with its secrets in the environment."""

    def build(kind: str, url: str, deadline_s: float = 60) -> Notifier:
        host = url.removeprefix("http://")
        for name, value in SECRETS.items():
            monkeypatch.setenv(name, value.replace("HOST", host))
        section = {
            key: value.replace("HOST", host) if isinstance(value, str) else value
            for key, value in EXAMPLES[kind].items()
        }
        settings = NotifierSettings.model_validate({kind: section})
        return KINDS[kind]("mine", getattr(settings, kind), session, deadline_s=deadline_s)

    return build


def test_every_kind_has_a_section_and_an_example():
    """Settings, registry and these tests list the same kinds."""
    sections = [
        name
        for name, field in NotifierSettings.model_fields.items()
        if "Settings" in str(field.annotation)
    ]
    assert list(KINDS) == sections == list(EXAMPLES)
    for kind, section in EXAMPLES.items():
        text = {key: value for key, value in section.items() if value != "http://HOST"}
        url = {"url": "http://127.0.0.1:9093"} if "url" not in text else {}
        assert NotifierSettings.model_validate({kind: {**text, **url}}).kinds == (kind,)


@every_kind
async def test_a_notice_is_delivered(kind: str, make: Make):
    """Firing and resolved, by one request each, under the user's name for it."""
    receiver = Receiver()
    async with serving(receiver) as url:
        notifier = make(kind, url)
        receipts = [await notifier.deliver(FIRING), await notifier.deliver(RESOLVED)]
    assert notifier.name == "mine"
    assert [(receipt.result, receipt.detail) for receipt in receipts] == [(Result.OK, "")] * 2
    assert len(receiver.came) == 2
    assert all(b"FallbackBroken" in came.body for came in receiver.came)


STATUSES = {
    **dict.fromkeys((201, 202, 204), Result.OK),
    **dict.fromkeys((401, 403), Result.AUTH_ERROR),
    429: Result.RATE_LIMITED,
    **dict.fromkeys((301, 302, 307, 308, 400, 404, 410), Result.CLIENT_ERROR),
    **dict.fromkeys((408, 425, 500, 502, 503, 504), Result.SERVER_ERROR),
}


@pytest.mark.parametrize("status", STATUSES)
@every_kind
async def test_each_status_has_its_result(kind: str, status: int, make: Make):
    """As the outbox needs it; what apprise cannot deliver is always tried again."""
    receiver = Receiver(status=status, headers={"location": "http://127.0.0.1:9/s3cret"})
    async with serving(receiver) as url:
        receipt = await make(kind, url).deliver(FIRING)
    expected = STATUSES[status]
    if kind == "apprise" and expected is not Result.OK:
        expected = Result.SERVER_ERROR
    assert receipt.result is expected
    assert len(receiver.came) == 1
    assert "s3cret" not in receipt.detail


@pytest.mark.parametrize(
    "handler", [closes_early, breaks_off, speaks_no_http], ids=lambda handler: handler.__name__
)
@every_kind
async def test_no_whole_reply_is_unreachable(kind: str, handler: Any, make: Make):
    """Whether it was taken is not known, so it is tried again; nothing is raised."""
    async with serving(handler) as url:
        receipt = await make(kind, url).deliver(FIRING)
    assert receipt.result is Result.UNREACHABLE
    assert receipt.detail
    assert "s3cret" not in repr(receipt)


@every_kind
async def test_a_closed_port_is_unreachable(kind: str, make: Make):
    """As after the receiver has stopped."""
    async with serving(hangs) as url:
        pass
    receipt = await make(kind, url).deliver(FIRING)
    assert receipt.result is Result.UNREACHABLE
    assert receipt.status is None


@every_kind
async def test_a_deadline_is_kept(kind: str, make: Make):
    """A receiver that never answers does not hold the outbox."""
    async with serving(hangs) as url:
        receipt = await make(kind, url, 0.2).deliver(FIRING)
    assert receipt.result is Result.UNREACHABLE
    assert "within 0.2 s" in receipt.detail


@every_kind
async def test_a_whole_reply_has_to_come_within_the_deadline(kind: str, make: Make):
    """One that begins at once and then drips does not count as an answer."""

    async def drips(request: web.BaseRequest) -> web.StreamResponse:
        reply = web.StreamResponse()
        await reply.prepare(request)
        await reply.write(b"so far so good")
        return await hangs(request)

    async with serving(drips) as url:
        receipt = await make(kind, url, 0.2).deliver(FIRING)
    assert receipt.result is Result.UNREACHABLE


@pytest.mark.parametrize("status", [200, 307, 400, 401, 500])
@every_kind
async def test_no_secret_is_shown_anywhere(
    kind: str,
    status: int,
    make: Make,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
):
    """Not where the receiver repeats the whole request, and not where everything is logged."""
    caplog.set_level(logging.DEBUG)
    receiver = Receiver(status=status, echoes=True, headers={"location": "/s3cret-path"})
    async with serving(receiver) as url:
        notifier = make(kind, url)
        receipt = await notifier.deliver(FIRING)
    assert receiver.came
    # The test's own server logs what it is asked; the daemon's notifiers log nothing of it.
    logged = [r.getMessage() for r in caplog.records if r.name != "aiohttp.access"]
    shown = (repr(receipt), repr(notifier), str(notifier), *logged, capfd.readouterr().out)
    assert "s3cret" not in "".join(shown)
    assert len(receipt.detail) <= 200


@every_kind
async def test_keeping_alive_raises_nothing(kind: str, make: Make):
    """A receipt where something was sent, nothing where there was no need."""
    receiver = Receiver()
    async with serving(receiver) as url:
        receipt = await make(kind, url).keep_alive((FIRING,))
    assert len(receiver.came) == (0 if receipt is None else 1)
    assert receipt is None or receipt.result is Result.OK


async def test_notifiers_are_built_by_name(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
):
    """Each from its own section, with the user's name for it."""
    monkeypatch.setenv("CHANNEL", "json://127.0.0.1:9/")
    settings = {
        "ops": NotifierSettings.model_validate({"webhook": {"url": "http://127.0.0.1:9"}}),
        "am": NotifierSettings.model_validate({"alertmanager": {"url": "http://127.0.0.1:9"}}),
        "phone": NotifierSettings.model_validate({"apprise": {"url": {"env": "CHANNEL"}}}),
    }
    built = notifiers_of(settings, session)
    assert {name: notifier.name for name, notifier in built.items()} == {
        name: name for name in settings
    }
    assert [type(notifier).__name__ for notifier in built.values()] == [
        *("Webhook", "Alertmanager", "Apprise")
    ]


@every_kind
async def test_a_missing_secret_is_an_error_that_names_the_notifier(
    kind: str, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
):
    """When it is built, and with the name of the variable."""
    for name in SECRETS:
        monkeypatch.delenv(name, raising=False)
    settings = NotifierSettings.model_validate({kind: EXAMPLES[kind]})
    with pytest.raises(UsageError, match=r"^notifiers\.phone: .*variable [A-Z]+ is empty"):
        notifiers_of({"phone": settings}, session)
