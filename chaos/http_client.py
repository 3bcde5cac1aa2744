"""The one way in which our own HTTP clients are made and read.

No redirect is followed (each request says so; a test looks): a 307 would carry a key to another
origin. Each names itself, so that drills are recognised in other people's logs and metrics. No
cookie is kept, no ``netrc`` is read, and a proxy is used only where the caller asks
for those that ``HTTPS_PROXY``, ``HTTP_PROXY`` and ``NO_PROXY`` name.
"""

from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

USER_AGENT = "understudy"


class TooLongError(ValueError):
    """A reply is longer than it may be."""


def open_session(**options: Any) -> aiohttp.ClientSession:
    """Make a client; the caller closes it.

    Args:
        options: As ``aiohttp.ClientSession`` takes them, but for cookies and the environment.
    """
    return aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        raise_for_status=False,
        headers={"user-agent": USER_AGENT},
        **options,
    )


def redirects(status: int | None) -> bool:
    """Tell whether a status sends the client elsewhere."""
    return status in (301, 302, 303, 307, 308)


def where_to(location: str) -> str:
    """Say where a redirect leads, without what may hold a secret: userinfo, query, fragment."""
    parts = urlsplit(location)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}" if host else parts.path or "nowhere"


def proxy_for(url: str) -> str | None:
    """Name the proxy that the environment has for *url*; None for a direct connection."""
    parts = urlsplit(url)
    proxies = getproxies()
    if not parts.hostname or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    return proxies.get(parts.scheme) or proxies.get("all")


async def read_within(reply: aiohttp.ClientResponse, most_bytes: int) -> bytes:
    """Read a whole body.

    Raises:
        TooLongError: It has more than *most_bytes*.
    """
    body = bytearray()
    async for piece in reply.content.iter_any():
        body += piece
        if len(body) > most_bytes:
            raise TooLongError(f"more than {most_bytes} bytes")
    return bytes(body)
