"""The receipt for an HTTP reply, and what its detail may show.

Of an address no detail shows more than scheme, host and port: the path or query of a webhook is
often its only secret, and receivers repeat what was sent to them.
"""

import base64
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from yarl import URL

from chaos.http_client import redirects
from chaos.witness.redaction import without_keys
from supervisor.alerts.notifier import Receipt, Result, Secrets

LONGEST_DETAIL_CHARS = 200
LONGEST_WAIT_S = 3600.0
"""A receiver that asks for more is asked again after this."""

_FEWEST_CHARS = 4
"""A shorter part of a path is found in ordinary words."""

_FINAL = {401: Result.AUTH_ERROR, 403: Result.AUTH_ERROR, 429: Result.RATE_LIMITED}
_TRY_AGAIN = frozenset({408, 425})
_SAYS_WHEN = frozenset({429, 503})


def receipt_of(
    status: int,
    headers: Mapping[str, str],
    now: datetime,
    *,
    line: str = "",
    secrets: Secrets = Secrets(),  # noqa: B008 -- frozen, and empty
) -> Receipt:
    """Judge a reply. Pure.

    Args:
        line: What the body begins with; shown unless the notice was taken.
        secrets: Never shown.
    """
    if 200 <= status < 300:
        return Receipt(Result.OK, status=status)
    given = {name.lower(): value for name, value in headers.items()}
    detail = f"HTTP {status}"
    if redirects(status):
        target = masked(origin_of(given.get("location", "")), secrets)
        detail += f": a redirect{f' to {target}' if target else ''} is not followed"
    elif shown := masked(line, secrets):
        detail += f": {shown}"
    return Receipt(
        _result_of(status),
        detail[:LONGEST_DETAIL_CHARS],
        status,
        retry_after_s(given.get("retry-after", ""), now) if status in _SAYS_WHEN else None,
    )


def _result_of(status: int) -> Result:
    if status in _FINAL:
        return _FINAL[status]
    if 300 <= status < 500 and status not in _TRY_AGAIN:
        return Result.CLIENT_ERROR
    return Result.SERVER_ERROR


def retry_after_s(value: str, now: datetime) -> float | None:
    """Read a ``Retry-After``: seconds or an HTTP date, at most an hour; None if it is neither."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(float(value), LONGEST_WAIT_S)
    try:
        then = parsedate_to_datetime(value)
        seconds = (then if then.tzinfo else then.replace(tzinfo=UTC)) - now
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return min(seconds.total_seconds(), LONGEST_WAIT_S) if seconds.total_seconds() >= 0 else None


def masked(text: str, secrets: Secrets) -> str:
    """Bring foreign *text* on one line, without secrets and control characters."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return without_keys(secrets.masked(line))


def secrets_of(url: str, *others: str | None) -> Secrets:
    """List what of *url* must not be shown, each in every way of writing it, and *others*."""
    texts = {text for text in others if text}
    texts.update(text for text in _parts(url) if text.strip("/"))
    # The longest first: one that holds another is masked as a whole.
    return Secrets(tuple(sorted(texts, key=lambda text: (-len(text), text))))


def _parts(url: str) -> Iterator[str]:
    plain, parsed = urlsplit(url), URL(url)
    yield from (plain.path, plain.query, plain.fragment, plain.netloc.rpartition("@")[0])
    yield from (parsed.path, parsed.raw_path, parsed.path_qs, parsed.raw_path_qs)
    yield from (parsed.query_string, parsed.raw_query_string, parsed.fragment)
    yield from filter(None, (parsed.user, parsed.raw_user, parsed.password, parsed.raw_password))
    if parsed.user or parsed.password:
        pair = f"{parsed.user or ''}:{parsed.password or ''}"
        yield base64.b64encode(pair.encode()).decode()
    for part in (*plain.path.split("/"), *parsed.parts, *parsed.query.values()):
        if len(part) >= _FEWEST_CHARS:
            yield part


def origin_of(url: str) -> str:
    """Show scheme, host and port; nothing if *url* is relative or no URL."""
    try:
        return str(URL(url).origin())
    except ValueError:
        return ""
