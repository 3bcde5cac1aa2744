"""Every fault that is a status and a body: the dialect's row says which, this plays it."""

import json
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from chaos.faults.fault import Fault, FaultName, Phase, Scene
from chaos.faults.script import Head, Script, Send
from chaos.protocol.dialect import Dialect, ErrorRow

_SUBSTITUTE = "server_error"
_MODEL = "{model}"
_RETRY_AFTER = re.compile(r"retry_after_(\d+)")
RETRY_AFTER_20 = "retry_after_20"
RETRY_AFTER_N = "retry_after_N"
"""Wherever a dialect has the row of 20 seconds, any number will do."""

_WAITS = ("retry-after", "retry-after-ms")


@dataclass(frozen=True, slots=True)
class HttpError(Fault):
    """The provider answers with an error of its own, word for word as far as sources tell."""

    name: str
    summary: str

    status_fault = True
    phase = Phase.BEFORE_FIRST_BYTE
    wordless = True

    def script(self, scene: Scene) -> Script:
        """Answer with the dialect's row: the variant's, else the plain one.

        Scenarios name ``server_error`` where no dialect of a hop has the fault. A call in another
        dialect can still miss a row here (DeepSeek on ``/v1/messages``, or one of several
        providers in a group): it gets the same substitute, because a fault must never fail itself.
        """
        _, row = row_of(scene.dialect, FaultName(self.name, scene.variant))
        return _written(row, scene.call.model)


def prefill_refused(dialect: Dialect, model: str) -> Script | None:
    """Write how *dialect* refuses a conversation that ends with the model's own words.

    None where its words are not known. Source: github.com/BerriAI/litellm/issues/27967.
    """
    row = dialect.rows.get("permission.prefill_refused")
    return None if row is None else _written(row, model)


def row_of(dialect: Dialect, name: FaultName) -> tuple[FaultName, ErrorRow]:
    """Find what *dialect* plays for a status fault, and what that is: it may lack the one."""
    rows = dialect.rows
    own = own_row(dialect, name)
    if own is not None:
        return name, own
    if name.name in rows:
        return FaultName(name.name, None, name.once), rows[name.name]
    return FaultName(_SUBSTITUTE, None, name.once), rows[_SUBSTITUTE]


def own_row(dialect: Dialect, name: FaultName) -> ErrorRow | None:
    """Find the row of *dialect* for exactly this status fault; None if it lacks it.

    ``rate_limit.retry_after_N`` is the row of 20 seconds with another number.
    """
    rows = dialect.rows
    full = f"{name.name}.{name.variant}" if name.variant else name.name
    template = rows.get(f"{name.name}.{RETRY_AFTER_20}")
    named = _RETRY_AFTER.fullmatch(name.variant or "")
    if full not in rows and template is not None and named:
        return _to_wait(template, named[1])
    return rows.get(full)


@lru_cache(maxsize=64)
def _to_wait(row: ErrorRow, seconds: str) -> ErrorRow:
    """Let *row*, whose headers say 20 seconds, say *seconds*; made once, and so written once."""
    headers = {name: re.sub("^20", seconds, value) for name, value in row.headers.items()}
    return replace(row, headers={**row.headers, **{n: headers[n] for n in _WAITS if n in headers}})


@lru_cache(maxsize=256)
def _written(row: ErrorRow, model: str) -> Script:
    """Write *row* down; a gateway that retries gets the very same again and again."""
    data = _fill(row.body, model)
    headers = {name.lower(): value for name, value in row.headers.items()}
    if isinstance(data, str):
        headers.setdefault("content-type", "text/plain; charset=utf-8")
        sent = data.encode()
    else:
        headers.setdefault("content-type", "application/json")
        sent = json.dumps(data, ensure_ascii=False).encode()
    return Script((Head(row.status, tuple(headers.items())), Send(sent)))


def _fill(value: Any, model: str) -> Any:
    """Write the model's name wherever the row leaves a place for it."""
    if isinstance(value, str):
        return value.replace(_MODEL, model)
    if isinstance(value, dict):
        return {key: _fill(item, model) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_fill(item, model) for item in value]
    return value


STATUS_FAULTS = (
    HttpError("billing", "There is no money left: credit, prepayment or payment is missing."),
    HttpError("quota", "A limit per day or month is used up; waiting a minute does not help."),
    HttpError("rate_limit", "Too many requests or tokens in too short a time."),
    HttpError("overloaded", "The provider has no capacity just now."),
    HttpError("auth_revoked", "The key is wrong, expired or revoked."),
    HttpError("permission", "The key is good, but may not do this."),
    HttpError("model_retired", "The model or deployment does not exist any more."),
    HttpError("context_window", "The prompt does not fit into the model's context."),
    HttpError("content_policy", "A content filter rejects the request."),
    HttpError("server_error", "The provider fails with an error of its own."),
    HttpError("bad_gateway_html", "A proxy before the provider answers 502 with an HTML page."),
    HttpError("request_timeout", "The provider gives up waiting, with status 408."),
)
"""One instance for each status fault, in the order of the contract."""
