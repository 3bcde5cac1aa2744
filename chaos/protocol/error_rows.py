"""Error answers that several providers share, and variants of one answer."""

from dataclasses import replace
from typing import Any

from chaos.protocol.dialect import ErrorRow

LITELLM = "a string that LiteLLM's exception mapping matches on, so a real body contains it"
GENERAL = "general knowledge"

NGINX_502 = """<html>
<head><title>502 Bad Gateway</title></head>
<body>
<center><h1>502 Bad Gateway</h1></center>
<hr><center>nginx</center>
</body>
</html>
"""

CLOUDFLARE_520 = """<!DOCTYPE html>
<html lang="en-US">
<head><title>{host} | 520: Web server is returning an unknown error</title></head>
<body>
<h1>Web server is returning an unknown error <span>Error code 520</span></h1>
<p>There is an unknown connection issue between Cloudflare and the origin web server.</p>
</body>
</html>
"""


def bad_gateway_html(server: str = "nginx") -> ErrorRow:
    """Make the page that a reverse proxy in front of a provider shows: no JSON at all."""
    return ErrorRow(
        502,
        NGINX_502.replace("nginx", server),
        source=f"{GENERAL}: {server}'s own error page",
        headers={"content-type": "text/html", "server": server},
        unconfirmed=True,
    )


def cloudflare_520(host: str) -> ErrorRow:
    """Make the page that Cloudflare shows when the provider behind it answers nonsense."""
    return ErrorRow(
        520,
        CLOUDFLARE_520.replace("{host}", host),
        source=LITELLM,
        headers={"content-type": "text/html; charset=UTF-8", "server": "cloudflare"},
    )


def after(row: ErrorRow, seconds: int, **more: str) -> ErrorRow:
    """Make *row* say when to come back; ``_`` in the name of another header stands for ``-``."""
    others = {name.replace("_", "-"): value for name, value in more.items()}
    return replace(row, headers={**row.headers, "retry-after": str(seconds), **others})


def general(status: int, body: Any, **headers: str) -> ErrorRow:
    """Make a row that no public source confirms."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ErrorRow(status, body, source=GENERAL, headers=named, unconfirmed=True)
