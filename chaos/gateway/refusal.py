"""Explain an answer of a gateway that is not what was asked for. Pure."""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

from chaos.errors import GatewayError
from chaos.process.terminal import printable

MOST_QUOTED = 200
"""Characters of a gateway's own words."""

_TAG = re.compile(r"<(style|script)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What came instead of an answer.

    Attributes:
        location: Where the gateway redirects to, as it says it.
    """

    status: int
    kind: str
    body: bytes
    location: str | None = None


def explained(url: str, path: str, refusal: Refusal, *, keys: Collection[str]) -> GatewayError:
    """Say why GET *path* at the gateway's base *url* had no answer, and what to do.

    Args:
        keys: Never repeated, whatever the gateway says.
    """
    status = refusal.status
    if _is_about_the_key(status, refusal.body):
        return GatewayError(
            f"the gateway at {url} does not accept the key for GET {path}: status {status}",
            remedy="Check the key of --key-env or --key-file. If it is right and may only send "
            "requests, give one that may read the topology with --admin-key-env or "
            "--admin-key-file: the master key, or one of a proxy_admin_viewer.",
        )
    if b"Model List not loaded in" in refusal.body or b"Router is not loaded in" in refusal.body:
        # Source: LiteLLM 1.106.2, run without a model_list.
        return GatewayError(
            f"the LiteLLM at {url} runs without any model: GET {path} gave status {status}, "
            '"LLM Model List not loaded in"',
            remedy="Start it with --config and a file that has a model_list.",
        )
    if status >= 500:
        words = own_words(refusal.body, keys)
        return GatewayError(
            f"the gateway at {url} fails at GET {path} with status {status}"
            + (f": “{words}”" if words else ", and does not say why"),
            remedy="Look at LiteLLM's log: its database or its start may have failed. Where "
            "a proxy stands before LiteLLM, the error may be the proxy's.",
        )
    if 300 <= status < 400:
        return _redirected(url, path, refusal)
    return GatewayError(
        f"{url} does not answer like LiteLLM: GET {path} gave status {status}, {refusal.kind}",
        remedy="Check --gateway: the base URL of a LiteLLM proxy, without /v1.",
    )


def own_words(body: bytes, keys: Collection[str] = ()) -> str:
    """Quote what the gateway itself says, on one line, in whole words.

    Half a key would no longer look like one, and would be shown.
    """
    text = body.decode("utf-8", "replace")
    try:
        text = _message(json.loads(text)) or text
    except (ValueError, RecursionError):
        text = _TAG.sub(" ", text)
    for key in keys:
        text = text.replace(key, "***") if key else text
    quoted = ""
    for word in printable(text).split():
        longer = f"{quoted} {word}".strip()
        if len(longer) > MOST_QUOTED:
            return f"{quoted} …".strip()
        quoted = longer
    return quoted


def _message(said: Any) -> str:
    """Find LiteLLM's or FastAPI's message in a body of JSON."""
    while isinstance(said, Mapping):
        said = next((said[k] for k in ("error", "message", "detail") if said.get(k)), None)
    return said if isinstance(said, str) else ""


def _redirected(url: str, path: str, refusal: Refusal) -> GatewayError:
    asked = url + path
    target = _plain(refusal.location or "", asked)
    what = f"the gateway at {url} redirects GET {path}"
    if not refusal.location or target is None:
        return GatewayError(
            f"{what} without saying where to: status {refusal.status}",
            remedy="Give LiteLLM's own base URL with --gateway; what answers here is another "
            "server before it.",
        )
    if target == _plain("", asked):
        return GatewayError(
            f"{what} to itself: status {refusal.status}",
            remedy="Look at the proxy before LiteLLM: it redirects what it should pass on, "
            "often because it takes https for http. Or give LiteLLM's own base URL with --gateway.",
        )
    base = target.removesuffix(path)
    return GatewayError(
        f"{what} to {target}: status {refusal.status}",
        remedy=f"If LiteLLM is there, give that: --gateway {base}"
        if base != target
        else "Give the base URL of what it redirects to with --gateway, if LiteLLM is there; a "
        "page to log in is not.",
    )


def _plain(location: str, asked: str) -> str | None:
    """Leave out user and query, which may hold a key; None for what is no URL."""
    try:
        parts = urlsplit(urljoin(asked, location))
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host:
        return None
    host = f"[{host}]" if ":" in host else host
    return printable(urlunsplit((parts.scheme, f"{host}{port}", parts.path, "", "")))


def _is_about_the_key(status: int, body: bytes) -> bool:
    """LiteLLM without a database answers 400 to a wrong key and 500 to none.

    Source: LiteLLM 1.106.2, run.
    """
    return (
        status in (401, 403)
        or (status == 400 and b"no_db_connection" in body)
        or (status == 500 and body.strip() == b"Internal Server Error")
    )
