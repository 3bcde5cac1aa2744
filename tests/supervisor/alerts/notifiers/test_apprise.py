"""What people read, through a real apprise and its json:// service."""

import asyncio
import json
import subprocess
import sys
from dataclasses import replace

import aiohttp
import pytest

from chaos.errors import UsageError
from supervisor.alerts.notifier import Notice, Receipt, Result
from supervisor.alerts.notifiers.apprise import Apprise, body_of, title_of, type_of
from supervisor.settings.alerting import AppriseSettings
from tests.fakes.alert_receiver import FIRING, RESOLVED, Receiver, hangs, labelled
from tests.fakes.server import serving
from tests.patience import until

SETTINGS = AppriseSettings.model_validate({"url": {"env": "CHANNEL"}})


@pytest.fixture
def channel(session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch):
    """Make notifiers for a base URL."""

    def make(url: str, deadline_s: float = 60) -> Apprise:
        monkeypatch.setenv("CHANNEL", url.replace("http://", "json://") + "/T0K3N")
        return Apprise.from_settings("phone", SETTINGS, session, deadline_s=deadline_s)

    return make


@pytest.mark.parametrize(
    ("notice", "title"),
    [
        (FIRING, "[FIRING] FallbackBroken: claude → gemma"),
        (RESOLVED, "[RESOLVED] FallbackBroken: claude → gemma"),
        (
            labelled(alertname="FallbackNeverProven", group="claude"),
            "[FIRING] FallbackNeverProven: claude",
        ),
        (
            labelled(alertname="EngineDown", engine="vllm", severity="page", x=""),
            "[FIRING] EngineDown: vllm",
        ),
        (labelled(alertname="A", hop="b", zone="z", group="g"), "[FIRING] A: g → b, z"),
        (labelled(alertname="GatewayDown", severity="page"), "[FIRING] GatewayDown"),
        (labelled(alertname="A", group="two\nlines"), "[FIRING] A: two lines"),
    ],
)
def test_a_title_names_the_alert_and_what_it_is_about(notice: Notice, title: str):
    """On one line, which is all that a phone shows."""
    assert title_of(notice) == title


def test_the_body_says_what_it_is_and_what_to_do():
    """Summary, description and runbook, each a paragraph."""
    assert body_of(FIRING) == (
        "gemma did not answer for claude\n\nThe drill failed: hop_failed.\n\n"
        "Runbook: https://understudy.example/runbooks#fallbackbroken"
    )
    assert body_of(replace(FIRING, annotations={"summary": "short"})) == "short"


@pytest.mark.parametrize(
    ("severity", "firing", "kind"),
    [
        ("page", True, "failure"),
        ("ticket", True, "warning"),
        ("info", True, "info"),
        ("page", False, "success"),
        ("info", False, "success"),
    ],
)
def test_the_mark_follows_from_severity_and_state(severity: str, firing: bool, kind: str):
    """What is over is good news, whatever it was."""
    labels = {"alertname": "X", "severity": severity}
    assert type_of(replace(FIRING, labels=labels, firing=firing)) == kind


async def test_a_message_arrives_through_apprise(channel):
    """With title, text and mark."""
    receiver = Receiver()
    async with serving(receiver) as url:
        assert await channel(url).deliver(FIRING) == Receipt(Result.OK)
    [came] = receiver.came
    assert came.path == "/T0K3N"
    message = json.loads(came.body)
    assert message["title"] == "[FIRING] FallbackBroken: claude → gemma"
    assert message["message"] == body_of(FIRING)
    assert message["type"] == "failure"


async def test_an_alert_without_a_text_is_sent_with_its_title(channel):
    """No empty body is sent, which apprise refuses."""
    receiver = Receiver()
    async with serving(receiver) as url:
        assert (await channel(url).deliver(replace(FIRING, annotations={}))).result is Result.OK
    assert json.loads(receiver.came[0].body)["message"] == "[FIRING] FallbackBroken: claude → gemma"


async def test_a_status_is_all_that_is_taken_from_apprise_s_words(channel):
    """The rest of them quotes the URL, which is a secret as a whole."""
    async with serving(Receiver(status=403, echoes=True)) as url:
        receipt = await channel(url).deliver(FIRING)
    detail = "apprise could not deliver it: HTTP 403"
    assert receipt == Receipt(Result.SERVER_ERROR, detail, 403)


async def test_a_redirect_is_not_followed(channel):
    """Its target would get the message, and for some services the key."""
    target = Receiver()
    async with serving(target) as elsewhere:
        receiver = Receiver(status=307, headers={"location": elsewhere})
        async with serving(receiver) as url:
            assert (await channel(url).deliver(FIRING)).status == 307
    assert target.came == []


async def test_a_try_that_hangs_is_given_up_and_not_doubled(channel):
    """No second thread is started beside it."""
    async with serving(hangs) as url:
        notifier = channel(url, deadline_s=0.2)
        first, second = await notifier.deliver(FIRING), await notifier.deliver(FIRING)
    assert first == Receipt(Result.UNREACHABLE, "not delivered within 0.2 s")
    assert second == Receipt(Result.UNREACHABLE, "an earlier try still hangs")


HANGING = """
import asyncio, socket, threading
from supervisor.alerts.notifiers.apprise import Apprise, open_channel
from tests.fakes.alert_receiver import FIRING
with socket.create_server(("127.0.0.1", 0)) as silent:
    channel = open_channel(f"json://127.0.0.1:{silent.getsockname()[1]}")
    notifier = Apprise("phone", channel, deadline_s=0.2)
    asyncio.run(notifier.deliver(FIRING))
    print(notifier._busy, [(thread.name, thread.daemon) for thread in threading.enumerate()])
"""


def test_a_try_that_hangs_does_not_hold_the_process():
    """It runs in a daemon thread, and in no executor, whose threads are joined at exit."""
    done = subprocess.run(
        [sys.executable, "-c", HANGING], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.stdout == "True [('MainThread', False), ('apprise phone', True)]\n"


async def test_after_a_try_that_hung_the_next_is_made(channel):
    """As soon as its thread has ended, which closing its connection does."""
    receiver = Receiver()
    async with serving(hangs) as url:
        notifier = channel(url, deadline_s=0.2)
        await notifier.deliver(FIRING)
    await until(lambda: not notifier._busy)
    async with serving(receiver) as url:
        # The same notifier, with a channel to a place that answers.
        notifier._channel, notifier._deadline_s = channel(url)._channel, 60
        assert (await notifier.deliver(FIRING)).result is Result.OK


async def test_two_at_once_are_sent_one_after_the_other(channel):
    """Neither is taken for one that hangs."""
    receiver = Receiver()
    async with serving(receiver) as url:
        notifier = channel(url)
        receipts = await asyncio.gather(notifier.deliver(FIRING), notifier.deliver(RESOLVED))
    assert {receipt.result for receipt in receipts} == {Result.OK}
    assert len(receiver.came) == 2


@pytest.mark.parametrize(
    "url", ["s3cret", "nosuch://s3cret/s3cret", "tgram://s3cret", "mailto://s3cret", "json://"]
)
async def test_a_url_that_apprise_cannot_read_is_refused_without_being_quoted(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, url: str
):
    """When the notifier is built, not at the first alert."""
    monkeypatch.setenv("CHANNEL", url)
    with pytest.raises(UsageError, match="cannot read its URL") as caught:
        Apprise.from_settings("phone", SETTINGS, session)
    assert "s3cret" not in f"{caught.value} {caught.value.remedy}"
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


TALKATIVE = """
import asyncio, logging, sys
logging.basicConfig(level=1)
from dataclasses import replace
from chaos.errors import UsageError
from supervisor.alerts.notifiers.apprise import Apprise, open_channel
from tests.fakes.alert_receiver import FIRING
assert "apprise" not in sys.modules
for url in ("nosuch://s3cret/s3cret", "tgram://s3cret"):
    try:
        open_channel(url)
    except UsageError as error:
        print(error)
channel = Apprise("phone", open_channel("json://s3cret:s3cret@127.0.0.1:9/s3cret"))
print(asyncio.run(channel.deliver(FIRING)))
logging.getLogger("urllib3.connectionpool").warning("Failed to parse headers (url=s3cret)")
logging.getLogger("apprise.plugins").critical("s3cret")
"""


def test_nothing_of_a_url_reaches_the_terminal_or_the_journal():
    """Not even where everything is logged; and before it is needed apprise is not loaded."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", TALKATIVE],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("cannot read its URL") == 2
    assert "Result.UNREACHABLE" in done.stdout
    assert "s3cret" not in done.stdout + done.stderr


async def test_a_message_to_people_does_not_expire(channel):
    """Nothing is sent to keep one alive."""
    assert await channel("http://127.0.0.1:9").keep_alive((FIRING,)) is None
