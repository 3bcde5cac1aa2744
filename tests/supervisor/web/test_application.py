"""The whole API: safe headers, HEAD, and where it listens."""

import pytest
from aiohttp import web

from chaos.errors import UsageError
from chaos.http_client import open_session
from supervisor.web.application import application, listening
from supervisor.web.page.render import POLICY
from tests.fakes.snapshots import condition, full_snapshot, snapshot, stored_drill
from tests.fakes.world import ACCESS, BEARER, FakeWorld

SAFE = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

SILENCE = {"matchers": {"alertname": "Halted"}, "reason": "lunch", "for_s": 60}
BENCHMARK = {"id": "b1", "engine": "gemma", "taken_at": "2026-03-01T12:00:00Z"}
BODIES = {("POST", "/api/v1/silences"): SILENCE, ("POST", "/api/v1/benchmarks"): BENCHMARK}
BEAT = "/api/v1/heartbeats/{name}"
EVENTS = "/api/v1/events"
PAGES = ("/", "/drills/{id}", "/docs/", "/docs/{name}")
BADGE = "/badge/{group}.svg"
"""Off, as long as nobody allows it."""


async def test_every_route_answers_with_safe_headers(api):
    """No answer may be kept, framed, guessed at or read by another site."""
    api.world.stored = [stored_drill("d1")]
    api.world.campaigns = {"d1"}
    waiting = condition(expected=full_snapshot().condition.expected)
    api.world.snapshot = snapshot(condition=waiting)
    # A stream has no end; that it is refused at the daemon's end is an answer, too.
    api.world.events.close()
    for method, path in api.routes:
        named = path.replace("/static/{name}", "/static/page.css").replace("{id}", "d1")
        named = named.replace("/docs/{name}", "/docs/alerts.md")
        named = named.replace("{name}", "backup").replace("{number}", "7")
        body = {"json": BODIES[method, path]} if (method, path) in BODIES else {}
        answer = await api.change(method, named, **body)
        assert answer.status in (200, 201, 202, 204) or path in (EVENTS, BADGE)
        allowed = dict(SAFE)
        if path in PAGES:
            # A page loads its own style sheet and script, and nothing else.
            assert answer.headers["Content-Security-Policy"] == POLICY
            del allowed["Content-Security-Policy"]
        if path.startswith("/static/"):
            del allowed["Cache-Control"]
        assert allowed.items() <= dict(answer.headers).items(), (method, path)
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/api/v1/drills?limit=0", {}, 400),
        ("POST", "/api/v1/halt", {}, 401),
        ("POST", "/api/v1/halt", {**BEARER, "Origin": "https://evil.example"}, 403),
        ("GET", "/nothing", {}, 404),
        ("PUT", "/healthz", {}, 405),
        ("OPTIONS", "/api/v1/halt", {"Origin": "https://evil.example"}, 405),
        ("GET", "/api/v1/status", {}, 500),
    ],
)
async def test_every_problem_has_safe_headers(api, method, path, headers, status):
    """An error is as safe as an answer, and a preflight of another site is not granted."""
    api.world.error = RuntimeError("a bug")
    answer = await api.ask(method, path, headers=headers)
    assert answer.status == status
    assert SAFE.items() <= dict(answer.headers).items()
    assert "Access-Control-Allow-Origin" not in answer.headers


async def test_head_answers_as_get_without_a_body(api):
    """Status, type and length of HEAD are those of GET, on every path that can be read."""
    api.world.stored = [stored_drill("x")]
    paths = {path for method, path in api.routes if method == "GET"} - {EVENTS, BEAT, BADGE}
    named = {path.replace("/static/{name}", "/static/page.css") for path in paths}
    named = {path.replace("/docs/{name}", "/docs/alerts.md") for path in named}
    readable = {path.replace("{id}", "x") for path in named}
    assert "/api/v1/drills/x" in readable
    for path in readable:
        got, head = await api.get(path), await api.ask("HEAD", path)
        assert (got.status, head.status, head.body) == (200, 200, b"")
        assert int(head.headers["Content-Length"]) == len(got.body) > 0
        assert head.headers["Content-Type"] == got.headers["Content-Type"]


async def test_head_needs_what_get_needs(api):
    """HEAD is no way around the token, and none to change something."""
    assert (await api.ask("HEAD", "/api/v1/status", headers={"Via": "proxy"})).status == 401
    assert (await api.ask("HEAD", "/api/v1/halt", headers=BEARER)).status == 405
    assert api.world.calls == []


async def test_each_request_asks_the_world_anew(api):
    """Nothing is kept between two requests."""
    assert (await api.get("/api/v1/drills")).json["drills"] == []
    api.world.stored = [stored_drill("d1")]
    assert len((await api.get("/api/v1/drills")).json["drills"]) == 1


async def test_it_listens_on_every_address():
    """Two addresses with port 0 are two ports, and the API answers on both."""
    app = application(FakeWorld(), access=ACCESS, version="1")
    async with listening(app, ["127.0.0.1:0", "127.0.0.1:0"]) as urls, open_session() as session:
        assert len(set(urls)) == 2
        for url in urls:
            async with session.get(f"{url}/healthz", allow_redirects=False) as response:
                assert response.status == 200


async def test_it_listens_on_ipv6():
    """An address in brackets is served, and written with brackets again."""
    app = application(FakeWorld(), access=ACCESS, version="1")
    async with listening(app, ["[::1]:0"]) as (url,), open_session() as session:
        assert url.startswith("http://[::1]:")
        async with session.get(f"{url}/api/v1/status", allow_redirects=False) as response:
            assert response.status == 200


async def test_a_port_that_is_taken_is_named(api):
    """The error names the address and the setting."""
    taken = api.url.removeprefix("http://")
    with pytest.raises(UsageError, match=f"cannot listen on {taken}") as caught:
        async with listening(web.Application(), [taken]):
            pass
    assert "web.listen" in caught.value.remedy


async def test_what_was_opened_is_closed_if_a_later_address_fails(api):
    """The first of two addresses is free again after the second was refused."""
    async with listening(web.Application(), ["127.0.0.1:0"]) as (url,):
        free = url.removeprefix("http://")
    taken = api.url.removeprefix("http://")
    with pytest.raises(UsageError, match=taken):
        async with listening(web.Application(), [free, taken]):
            pass
    async with listening(web.Application(), [free]) as (again,):
        assert again == url
