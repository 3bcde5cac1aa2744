"""Who may read and who may change (docs/security.md). It decides on nothing but a request.

change   the token as a bearer, and no other site's page behind it
read     from this machine; else with the token, as a bearer or as HTTP Basic's password
"""

import base64
import hmac
import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web
from pydantic import SecretStr

from supervisor.web.problem import Refused

BASIC = 'Basic realm="Understudy", charset="UTF-8"'
BEARER = 'Bearer realm="Understudy"'

FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")
"""Who sends one of these speaks for somebody else, who may be anywhere."""


@dataclass(frozen=True, slots=True)
class Access:
    """The rules."""

    token: SecretStr

    def check_read(self, request: web.BaseRequest) -> None:
        """Let *request* read.

        Raises:
            Refused: It may not.
        """
        given = request.headers.get("Authorization")
        if given is not None:
            scheme, _, rest = given.partition(" ")
            told = rest.strip() if scheme.lower() == "bearer" else _password(scheme, rest)
            if not self._is_token(told):
                raise _unknown(BASIC)
        elif not from_this_machine(request):
            raise _closed("reading from another machine", BASIC)

    def check_change(self, request: web.BaseRequest) -> None:
        """Let *request* change something.

        Raises:
            Refused: It may not.
        """
        self._check_site(request)
        if not self.has_token(request):
            if "Authorization" in request.headers:
                raise _unknown(BEARER)
            raise _closed("changing something", BEARER)

    def has_token(self, request: web.BaseRequest) -> bool:
        """Tell whether *request* bears the token, as a program does and a browser does not."""
        scheme, _, told = request.headers.get("Authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self._is_token(told.strip())

    def _is_token(self, told: str | None) -> bool:
        return told is not None and _same(told, self.token)

    def _check_site(self, request: web.BaseRequest) -> None:
        """Refuse what another site's page makes a browser send; programs name no origin."""
        origin = request.headers.get("Origin")
        if origin is None:
            foreign = request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")
        else:
            here = (request.headers.get("Host") or "").lower()
            foreign = not here or origin.partition("://")[2].lower() != here
        if foreign:
            raise Refused(
                403,
                what="nothing was changed",
                why="the request comes from another site's page"
                + ("" if origin is None else f", {_plain(origin)}"),
                remedy="Ask at the address that the API listens on.",
            )


def _plain(text: str) -> str:
    """Write what a header held so that JSON can carry it."""
    return text.encode("ascii", "backslashreplace").decode()


def _closed(doing: str, challenge: str) -> Refused:
    password = " or as the password of HTTP Basic" if challenge == BASIC else ""
    return Refused(
        401,
        what="the request was refused",
        why=f"{doing} needs the token, and it came without",
        remedy=f"Send it as 'Authorization: Bearer TOKEN'{password}.",
        challenge=challenge,
    )


def from_this_machine(request: web.BaseRequest) -> bool:
    """Tell whether *request* was sent from here, and on behalf of nobody elsewhere.

    The name that it asks for must be this machine's too: else a page of any site, whose name
    was made to point here, could read through its visitor's browser.
    """
    if any(header in request.headers for header in FORWARDED):
        return False
    peer = request.transport.get_extra_info("peername") if request.transport else None
    if not isinstance(peer, tuple):
        return False
    return _is_loopback(str(peer[0])) and _is_loopback(_host(request))


def _host(request: web.BaseRequest) -> str:
    try:
        return urlsplit(f"//{request.headers.get('Host', '')}").hostname or ""
    except ValueError:
        return ""


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def _password(scheme: str, rest: str) -> str | None:
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(rest.strip(), validate=True).decode()
    except ValueError:  # Not base64, not ASCII, not UTF-8
        return None
    return decoded.partition(":")[2]


def _same(told: str, secret: SecretStr) -> bool:
    return hmac.compare_digest(
        told.encode("utf-8", "surrogateescape"), secret.get_secret_value().encode()
    )


def _unknown(challenge: str) -> Refused:
    how = "as a bearer" if challenge == BEARER else "as a bearer, or as HTTP Basic's password"
    return Refused(
        401,
        what="the request was refused",
        why="its credentials are not Understudy's token",
        remedy=f"Send the token that web.token names, {how}.",
        challenge=challenge,
    )
