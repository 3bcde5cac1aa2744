"""What is sent is read strictly, and every mistake in it is named."""

import asyncio
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from supervisor.web import endpoint
from tests.fakes.world import BEARER, Site


async def test_every_mistake_in_a_query_is_named_at_once(api):
    """A wrong value, a wrong choice and an unknown name are all in one answer."""
    answer = await api.get("/api/v1/drills?limit=many&outcome=good&grup=claude")
    assert answer.status == 400
    assert [why.partition(":")[0] for why in answer.json["why"].split("; ")] == [
        "outcome",
        "limit",
        "grup",
    ]
    assert "Known here: gateway, group, path" in answer.json["remedy"]
    assert api.world.calls == []


async def test_a_name_that_is_given_twice_is_refused(api):
    """Neither of two values for one name is chosen."""
    answer = await api.get("/api/v1/drills?group=a&group=b")
    assert (answer.status, answer.json["why"]) == (400, "group is given more than once")
    assert api.world.calls == []


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"null", b'{"for_s": "soon"}', b"\xff", b'{"reason": "\\ud800"}']
)
async def test_a_body_that_is_not_understood_changes_nothing(api, body):
    """A body that is no JSON, or not the expected JSON, is a 400."""
    headers = {**BEARER, "Content-Type": "application/json"}
    answer = await api.ask("POST", "/api/v1/halt", data=body, headers=headers)
    assert (answer.status, answer.json["what"]) == (400, "the request was not understood")
    assert api.world.calls == []


async def test_a_wrong_value_is_not_repeated(api):
    """The answer names the field but not its value, which might be a key in the wrong place."""
    answer = await api.change("POST", "/api/v1/halt", json={"for_s": "sk-secret"})
    assert answer.status == 400
    assert answer.json["why"].startswith("for_s: ")
    assert b"sk-secret" not in answer.body


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", b"reason=x"),
        ("text/plain", b"{}"),
        ("application/octet-stream", b"{}"),
    ],
)
async def test_a_body_that_is_not_called_json_is_refused(api, content_type, body):
    """A page of another site can make a browser send a form or text, but not JSON."""
    headers = {**BEARER, "Content-Type": content_type}
    answer = await api.ask("POST", "/api/v1/halt", data=body, headers=headers)
    assert (answer.status, answer.json["why"]) == (415, f"its body is {content_type}")
    assert api.world.calls == []


async def test_json_may_name_its_encoding(api):
    """A charset after the content type does not make it another type."""
    headers = {**BEARER, "Content-Type": "application/json; charset=utf-8"}
    answer = await api.ask("POST", "/api/v1/halt", data=b'{"reason": "x"}', headers=headers)
    assert (answer.status, answer.json["reason"]) == (200, "x")


async def half_a_body(api: Site) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Announce a hundred bytes with the token, and send one."""
    address = urlsplit(api.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(
        b"POST /api/v1/halt HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        b"content-length: 100\r\nauthorization: " + BEARER["Authorization"].encode() + b"\r\n\r\n{"
    )
    await writer.drain()
    return reader, writer


async def test_a_body_that_does_not_come_is_refused_after_a_while(api: Site, monkeypatch):
    """It would hold its connection for ever, and so would two hundred more."""
    monkeypatch.setattr(endpoint, "BODY_WITHIN_S", 0.05)
    reader, writer = await half_a_body(api)
    answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"its body did not come within 0.05 s" in answer
    assert api.world.calls == []
    writer.close()


@pytest.mark.parametrize("waits", [True, False], ids=["while we wait", "before we wait"])
async def test_a_sender_who_leaves_is_no_bug_of_ours(api: Site, monkeypatch, waits: bool):
    """Somebody has pressed Ctrl-C; nobody is to report that."""
    reached, ended = asyncio.Event(), asyncio.Event()
    read = web.Request.read

    async def reading(self: web.Request) -> bytes:
        reached.set()
        try:
            if waits:
                return await read(self)
            while self.transport is not None:
                await asyncio.sleep(0)
            # aiohttp 3.14, StreamReader._wait: what a handler gets that begins after the end.
            raise RuntimeError("Connection closed.")
        finally:
            ended.set()

    monkeypatch.setattr(web.Request, "read", reading)
    with capture_logs() as log:
        _, writer = await half_a_body(api)
        await reached.wait()
        writer.transport.abort()
        await ended.wait()
        # What came of it is written before another request is answered.
        assert (await api.get("/api/v1/status")).status == 200
    assert log == []


async def test_the_same_error_of_a_living_connection_is_a_bug(api: Site, monkeypatch):
    """It is logged, and answered as one."""

    async def broken(_: web.Request) -> bytes:
        raise RuntimeError("something else")

    monkeypatch.setattr(web.Request, "read", broken)
    with capture_logs() as log:
        answer = await api.change("POST", "/api/v1/halt", json={"reason": "x"})
    assert (answer.status, [line["event"] for line in log]) == (500, ["web.bug"])
