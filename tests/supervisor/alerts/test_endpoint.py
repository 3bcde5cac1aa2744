"""One POST: what is sent, and what every way of failing is called."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from chaos.errors import UsageError
from chaos.http_client import open_session
from supervisor.alerts.endpoint import Endpoint, rfc3339
from supervisor.alerts.notifier import Receipt, Result
from tests.fakes.alert_receiver import Receiver, breaks_off, closes_early, hangs, speaks_no_http
from tests.fakes.manual_clock import NOON, ManualClock
from tests.fakes.server import Handler, serving

PATH = "/hook/T0K3N?key=s3cret"


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """The daemon's own kind of client."""
    async with open_session() as opened:
        yield opened


async def test_the_body_arrives_as_it_is(session: aiohttp.ClientSession):
    """With what every request of ours carries, and on a connection that is not kept."""
    receiver = Receiver()
    async with serving(receiver) as url:
        receipt = await Endpoint(session, url + PATH, token="b34rer").post(b"[1]", {"x-more": "1"})
    assert receipt == Receipt(Result.OK, status=200)
    [came] = receiver.came
    assert (came.path, came.body) == (PATH, b"[1]")
    assert came.headers["content-type"] == "application/json"
    assert came.headers["user-agent"] == "understudy"
    assert came.headers["authorization"] == "Bearer b34rer"
    assert came.headers["connection"] == "close"
    assert came.headers["x-more"] == "1"


async def test_userinfo_is_sent_as_basic_credentials(session: aiohttp.ClientSession):
    """As every client does it, and never as a part of the path."""
    receiver = Receiver()
    async with serving(receiver) as url:
        await Endpoint(session, url.replace("//", "//ops:pass@")).post(b"{}")
    assert receiver.came[0].headers["authorization"] == "Basic b3BzOnBhc3M="


async def test_a_redirect_is_not_followed(session: aiohttp.ClientSession):
    """Its target would get token and signature."""
    target = Receiver()
    async with serving(target) as elsewhere:
        receiver = Receiver(status=307, headers={"location": f"{elsewhere}/x"})
        async with serving(receiver) as url:
            receipt = await Endpoint(session, url).post(b"{}")
    assert (receipt.result, receipt.status) == (Result.CLIENT_ERROR, 307)
    assert receipt.detail == f"HTTP 307: a redirect to {elsewhere} is not followed"
    assert target.came == []


async def test_a_date_to_wait_for_is_read_by_the_clock(session: aiohttp.ClientSession):
    """The wait counts from now, by the clock that was passed in."""
    receiver = Receiver(status=503, headers={"retry-after": "Sun, 01 Mar 2026 12:00:30 GMT"})
    async with serving(receiver) as url:
        receipt = await Endpoint(session, url, clock=ManualClock(NOON)).post(b"{}")
    assert receipt.retry_after_s == 30


async def test_of_a_page_its_first_line_is_shown(session: aiohttp.ClientSession):
    """The first that is not empty."""
    receiver = Receiver(status=400, body="\n \nno such channel\nTraceback: ...")
    async with serving(receiver) as url:
        receipt = await Endpoint(session, url).post(b"{}")
    assert receipt.detail == "HTTP 400: no such channel"


async def test_what_the_receiver_repeats_of_our_secrets_is_masked(session: aiohttp.ClientSession):
    """The token, the URL's own and those that are named besides."""
    receiver = Receiver(status=400, body="saw b34rer, T0K3N, s3cret, s1gn1ng")
    async with serving(receiver) as url:
        endpoint = Endpoint(session, url + PATH, token="b34rer", secrets=("s1gn1ng",))
        receipt = await endpoint.post(b"{}")
    assert receipt.detail == "HTTP 400: saw ***, ***, ***, ***"


async def test_a_flood_counts_by_its_status(session: aiohttp.ClientSession):
    """A body without end is not read to its end."""
    async with serving(Receiver(status=500, body="x" * 2_000_000)) as url:
        receipt = await Endpoint(session, url).post(b"{}")
    assert receipt == Receipt(Result.SERVER_ERROR, "HTTP 500", 500)


@pytest.mark.parametrize(
    ("handler", "deadline_s", "reason"),
    [
        (hangs, 0.2, "no complete reply within 0.2 s"),
        (closes_early, 60, "it closed the connection without a reply"),
        (breaks_off, 60, "its reply broke off"),
        (speaks_no_http, 60, "no reply: ClientResponseError"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
async def test_what_gives_no_whole_reply_is_unreachable(
    session: aiohttp.ClientSession,
    handler: Handler,
    deadline_s: float,
    reason: str,
):
    """With the reason in our words, and no more of the address than its origin."""
    async with serving(handler) as url:
        receipt = await Endpoint(session, url + PATH, deadline_s=deadline_s).post(b"{}")
    assert receipt == Receipt(Result.UNREACHABLE, f"{url}: {reason}")


async def test_a_closed_port_is_unreachable(session: aiohttp.ClientSession):
    """The system's own word for it is shown."""
    async with serving(hangs) as url:
        pass
    receipt = await Endpoint(session, url + PATH).post(b"{}")
    assert receipt == Receipt(Result.UNREACHABLE, f"{url}: no connection: Connection refused")


class KnowsNobody(AbstractResolver):
    """A resolver without any names: tests ask no name server."""

    async def resolve(self, host: str, *_: object, **__: object) -> list[ResolveResult]:
        raise OSError(None, f"{host}: Name or service not known")

    async def close(self) -> None:
        """Hold nothing."""


async def test_a_name_without_an_address_is_unreachable():
    """The name is shown, which is what to correct."""
    connector = aiohttp.TCPConnector(resolver=KnowsNobody())
    async with open_session(connector=connector) as session:
        receipt = await Endpoint(session, f"http://receiver.example{PATH}").post(b"{}")
    assert receipt.result is Result.UNREACHABLE
    assert receipt.detail == "http://receiver.example: its name cannot be resolved"


async def test_the_environment_s_proxy_is_used_but_for_this_machine(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
):
    """A proxy can reach receivers elsewhere; it cannot reach our loopback."""
    proxy, receiver = Receiver(), Receiver()
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    async with serving(proxy) as via, serving(receiver) as url:
        monkeypatch.setenv("http_proxy", via)
        await Endpoint(session, f"http://receiver.example{PATH}").post(b"{}")
        await Endpoint(session, url).post(b"{}")
    assert [came.headers["host"] for came in proxy.came] == ["receiver.example"]
    assert len(receiver.came) == 1


async def test_a_server_without_tls_is_unreachable_over_https(session: aiohttp.ClientSession):
    """With OpenSSL's word for it."""
    async with serving(hangs) as url:
        secure = url.replace("http:", "https:")
        receipt = await Endpoint(session, secure + PATH).post(b"{}")
    assert receipt.result is Result.UNREACHABLE
    assert receipt.detail.startswith(f"{secure}: no TLS connection: ")


async def test_a_header_that_cannot_be_sent_raises_nothing(session: aiohttp.ClientSession):
    """A notifier never raises, whatever a notice holds."""
    async with serving(Receiver()) as url:
        receipt = await Endpoint(session, url).post(b"{}", {"x-delivery": "a\r\nb: c"})
    assert receipt == Receipt(Result.UNREACHABLE, f"{url}: no reply: ValueError")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ops.example/s3cret",
        "ftp://x/s3cret",
        "http://",
        "http:///s3cret",
        "http://x:99999/s3cret",
    ],
)
async def test_what_is_no_url_is_refused_before_anything_is_sent(
    session: aiohttp.ClientSession, url: str
):
    """And not quoted: a webhook's URL is a secret."""
    with pytest.raises(UsageError, match="not an http:// or https:// URL") as caught:
        Endpoint(session, url)
    assert "s3cret" not in f"{caught.value} {caught.value.remedy} {caught.value.__cause__}"


async def test_two_kinds_of_credentials_are_refused(session: aiohttp.ClientSession):
    """One header cannot carry both; a port that goes without saying is not a user."""
    with pytest.raises(UsageError, match="user or password"):
        Endpoint(session, "https://ops:pass@x.example/", token="b34rer")
    Endpoint(session, "https://x.example:443/", token="b34rer")


def test_times_are_written_in_utc_with_a_z():
    """Whatever zone they come in."""
    there = datetime(2026, 3, 1, 14, 0, 0, 250_000, tzinfo=timezone(timedelta(hours=2)))
    assert rfc3339(there) == "2026-03-01T12:00:00.250000Z"
    assert rfc3339(NOON) == "2026-03-01T12:00:00Z"
