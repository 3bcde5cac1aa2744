"""Every fault that is a status and a body: the dialect's row says which, this plays it."""

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from chaos.faults.fault import FaultTraits, Phase, Scene
from chaos.faults.script import Head, Script, Send
from chaos.protocol.dialect import ErrorRow

_SUBSTITUTE = "server_error"
_MODEL = "{model}"


@dataclass(frozen=True, slots=True)
class HttpError(FaultTraits):
    """The provider answers with an error of its own, word for word as far as sources tell."""

    name: str
    summary: str

    status_fault = True
    phase = Phase.BEFORE_FIRST_BYTE

    def script(self, scene: Scene) -> Script:
        """Answer with the dialect's row: the variant's, else the plain one.

        Scenarios name ``server_error`` where a dialect lacks the fault. A call in another
        dialect than its deployment's (DeepSeek on ``/v1/messages``) can still miss a row here;
        it gets the same substitute, because a fault must never fail itself.
        """
        return _written(self._row(scene), scene.call.model)

    def _row(self, scene: Scene) -> ErrorRow:
        rows = scene.dialect.rows
        full = f"{self.name}.{scene.variant}" if scene.variant else self.name
        return rows.get(full) or rows.get(self.name) or rows[_SUBSTITUTE]


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
