"""Our own HTTP clients carry nothing to anybody whom they were not sent to."""

import pytest
from aiohttp import web

from chaos.http_client import (
    TooLongError,
    open_session,
    proxy_for,
    read_within,
    redirects,
    where_to,
)
from tests.fakes.server import serving


async def test_no_cookie_is_kept():
    """What a gateway sets is not sent to it again, nor to anybody else."""
    seen = []

    async def handle(request):
        seen.append(request.headers.get("cookie"))
        return web.Response(headers={"set-cookie": "who=you; Path=/"})

    async with serving(handle) as url, open_session() as session:
        for _ in range(2):
            named = url.replace("127.0.0.1", "localhost")  # cookies of numbers are never kept
            async with session.get(named, allow_redirects=False) as reply:
                assert reply.status == 200
    assert seen == [None, None]


async def test_netrc_is_not_read(tmp_path, monkeypatch):
    """A password of the user's for the same host is none of the drill's business."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    seen = []

    async def handle(request):
        seen.append(request.headers.get("authorization"))
        return web.Response()

    async with (
        serving(handle) as url,
        open_session() as session,
        session.get(url, allow_redirects=False),
    ):
        pass
    assert seen == [None]


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("https://api.openai.com/v1", "http://proxy:3128"),
        ("http://api.openai.com/v1", None),
        ("https://vllm.internal:8000", None),
        ("https://", None),
    ],
)
def test_a_proxy_is_the_one_that_the_environment_names(monkeypatch, url, proxy):
    """By scheme, and not where NO_PROXY says."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    monkeypatch.setenv("NO_PROXY", ".internal")
    assert proxy_for(url) == proxy


async def test_a_reply_is_read_within_its_bound():
    """A peer gone wild does not fill our memory."""

    async def handle(request):
        return web.Response(body=b"x" * 1000)

    async with serving(handle) as url, open_session() as session:
        async with session.get(url, allow_redirects=False) as reply:
            assert len(await read_within(reply, 1000)) == 1000
        async with session.get(url, allow_redirects=False) as reply:
            with pytest.raises(TooLongError):
                await read_within(reply, 999)


def test_where_a_redirect_leads_is_said_without_secrets():
    """Userinfo and queries hold keys."""
    assert where_to("https://u:p@h.example:8443/a/b?key=1#c") == "https://h.example:8443/a/b"
    assert where_to("/elsewhere?x") == "/elsewhere"
    assert where_to("") == "nowhere"
    assert [s for s in range(300, 400) if redirects(s)] == [301, 302, 303, 307, 308]
