"""Who may read and who may change, from this machine and from others."""

import asyncio
import base64
import re
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from supervisor.web.access import from_this_machine
from supervisor.web.problem import Refused
from tests.fakes.snapshots import stored_drill
from tests.fakes.world import ACCESS, BEARER, TOKEN

WRONG = {"Authorization": "Bearer wrong"}
HERE = ("127.0.0.1", 40000)
ELSEWHERE = ("192.0.2.7", 40000)


def basic(password: str, user: str = "me") -> dict[str, str]:
    """Write the header that a browser sends."""
    encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {encoded}"}


def request_from(peer: object = ELSEWHERE, **headers: str) -> web.Request:
    """Make a request from *peer*: by default from another machine, which no test can be."""
    transport: Any = SimpleNamespace(
        get_extra_info=lambda name, _=None: {"peername": peer}.get(name)
    )
    return make_mocked_request(
        "GET", "/", headers={"Host": "127.0.0.1:8940", **headers}, transport=transport
    )


def refused(check, request) -> Refused:
    """Run a check that must refuse."""
    with pytest.raises(Refused) as caught:
        check(request)
    return caught.value


# --- reading ---------------------------------------------------------------------------------


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize(
    "host", ["127.0.0.1:8940", "localhost:8940", "[::1]:8940", "LOCALHOST", "spark.localhost"]
)
def test_this_machine_may_read_without_a_token(peer, host):
    """A loopback peer that asks for a loopback name is let in under each of its addresses."""
    ACCESS.check_read(request_from((peer, 1), Host=host))


@pytest.mark.parametrize(
    "peer", ["192.0.2.7", "10.0.0.1", "172.17.0.2", "2001:db8::1", "::ffff:192.0.2.7", "0.0.0.0"]
)
def test_other_machines_may_not_read_without_the_token(peer):
    """A peer that is not loopback is refused, and a browser is asked for a password."""
    refusal = refused(ACCESS.check_read, request_from((peer, 1)))
    assert refusal.status == 401
    assert refusal.challenge == 'Basic realm="Understudy", charset="UTF-8"'
    assert "it came without" in refusal.problem.why


@pytest.mark.parametrize(
    "headers", [BEARER, basic(TOKEN), basic(TOKEN, ""), {"Authorization": f"bearer  {TOKEN} "}]
)
def test_the_token_lets_read_from_anywhere(headers):
    """The token is accepted as a bearer, and as the password of any user."""
    ACCESS.check_read(request_from(**headers))


@pytest.mark.parametrize(
    "headers",
    [
        WRONG,
        {"Authorization": ""},
        {"Authorization": TOKEN},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer é"},
        {"Authorization": f"Bearer {TOKEN[:-1]}"},
        {"Authorization": f"Digest {TOKEN}"},
        {"Authorization": "Basic !"},
        {"Authorization": "Basic /w=="},
        basic(TOKEN + "x"),
        basic("x", TOKEN),
        basic(""),
    ],
)
@pytest.mark.parametrize("peer", [ELSEWHERE, HERE])
def test_wrong_credentials_are_refused_everywhere(headers, peer):
    """Wrong credentials are refused even on this machine, which needs none."""
    refusal = refused(ACCESS.check_read, request_from(peer, **headers))
    assert refusal.status == 401
    assert TOKEN not in refusal.problem.model_dump_json()


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_a_proxy_on_this_machine_does_not_speak_for_it(header):
    """A forwarded request is not from this machine, although its peer is."""
    assert from_this_machine(request_from(HERE))
    assert not from_this_machine(request_from(HERE, **{header: "127.0.0.1"}))


@pytest.mark.parametrize(
    "host",
    ["evil.example:8940", "127.0.0.1.evil.example", "localhost.evil.example", "", "[oops"],
)
def test_a_foreign_host_name_on_loopback_may_not_read(host):
    """A site whose name resolves to this machine cannot read through its visitor's browser."""
    assert refused(ACCESS.check_read, request_from(HERE, Host=host)).status == 401


@pytest.mark.parametrize("peer", [None, "/run/understudy.sock", ""])
def test_a_peer_without_an_address_is_not_this_machine(peer):
    """A peer whose address is unknown needs the token."""
    assert not from_this_machine(request_from(peer))


def test_the_token_is_not_shown():
    """The rules can be logged without their token."""
    assert TOKEN not in repr(ACCESS)


# --- changing --------------------------------------------------------------------------------


def test_changing_needs_the_token_on_this_machine_too():
    """A loopback peer without the token is refused, and let in with it."""
    refusal = refused(ACCESS.check_change, request_from(HERE))
    assert (refusal.status, refusal.challenge) == (401, 'Bearer realm="Understudy"')
    assert "it came without" in refusal.problem.why
    ACCESS.check_change(request_from(HERE, **BEARER))


def test_changing_with_a_wrong_token_is_refused():
    """The refusal names the setting that holds the right one, not the token."""
    refusal = refused(ACCESS.check_change, request_from(HERE, **WRONG))
    assert (refusal.status, refusal.challenge) == (401, 'Bearer realm="Understudy"')
    assert "web.token" in refusal.problem.remedy
    assert TOKEN not in refusal.problem.model_dump_json()


def test_changing_by_password_is_refused():
    """The right token as a password may read but not change: a browser sends it unasked."""
    request = request_from(**basic(TOKEN))
    ACCESS.check_read(request)
    assert refused(ACCESS.check_change, request).status == 401


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://127.0.0.1:8940"},
        {"Origin": "http://Spark.example:8940", "Host": "spark.EXAMPLE:8940"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_programs_and_pages_of_the_same_origin_may_change(headers):
    """A request without an origin, or with the one that it was sent to, is let in."""
    ACCESS.check_change(request_from(**BEARER, **headers))


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "http://127.0.0.1:8940.evil.example"},
        {"Origin": "http://", "Host": ""},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_other_sites_may_not_change(headers):
    """A foreign origin is refused even with the token."""
    refusal = refused(ACCESS.check_change, request_from(**BEARER, **headers))
    assert (refusal.status, refusal.challenge) == (403, None)
    assert "another site" in refusal.problem.why


# --- on a real server ------------------------------------------------------------------------


async def test_a_real_request_with_a_foreign_host_may_not_read(api):
    """The same request on loopback is answered under its own name only."""
    assert (await api.get("/api/v1/status")).status == 200
    api.world.calls.clear()
    answer = await api.get("/api/v1/status", Host="evil.example")
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert api.world.calls == []


async def test_a_real_request_with_a_foreign_origin_may_not_change(api):
    """The same request with the token is carried out only from its own origin."""
    foreign = {**BEARER, "Origin": "https://evil.example"}
    assert (await api.ask("POST", "/api/v1/halt", headers=foreign)).status == 403
    assert api.world.calls == []
    own = {**BEARER, "Origin": api.url}
    assert (await api.ask("POST", "/api/v1/halt", headers=own)).status == 200


OPEN = {
    (method, path)
    for method in ("GET", "HEAD")
    for path in ("/healthz", "/readyz", "/badge/{group}.svg")
}


async def test_bytes_that_are_not_text_are_a_wrong_token(api):
    """A header that is not UTF-8 is refused like any other wrong token."""
    address = urlsplit(api.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(
        b"GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        b"Authorization: Bearer \xff\r\n\r\n"
    )
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"not Understudy's token" in answer


async def test_only_health_is_open_to_everybody(api):
    """Every other route refuses a request from elsewhere without the token, before it acts."""
    routes = api.routes
    let_in = set()
    for method, path in routes:
        address = path.replace("{id}", "d1").replace("{name}", "backup").replace("{number}", "7")
        address = address.replace("{group}", "claude")
        answer = await api.ask(method, address, headers={"Via": "1.1 proxy"})
        if answer.status != 401:
            let_in.add((method, path))
    assert let_in == OPEN
    assert {call[0] for call in api.world.calls} == {"status"}
    assert {("POST", "/api/v1/halt"), ("DELETE", "/api/v1/halt")} < routes - OPEN


async def test_a_wrong_token_learns_nothing(api):
    """Every refusal is the same whatever was asked for, and nothing is looked up."""
    api.world.stored = [stored_drill("d1")]
    bodies: dict[bool, set[bytes]] = {True: set(), False: set()}
    for method, template in api.routes - OPEN:
        # A heartbeat is a change, whatever its method.
        reads = method == "GET" and "/heartbeats/" not in template
        for name in ("d1", "no?limit=x"):
            path = re.sub(r"\{\w+\}", name, template)
            answer = await api.ask(method, path, headers=WRONG, data=b"{")
            assert answer.status == 401
            if method != "HEAD":
                bodies[reads].add(answer.body)
    assert [len(each) for each in bodies.values()] == [1, 1]
    assert api.world.calls == []
