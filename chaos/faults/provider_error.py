"""The error that a provider tells inside a reply of status 200, in its own words."""

import json

from chaos.faults.fault import Scene
from chaos.faults.http_error import STATUS_FAULTS
from chaos.faults.script import Head, Script, Send
from chaos.protocol.conversation import Json
from chaos.protocol.dialect import ErrorRow

USUAL = ("overloaded", "server_error")
"""What goes wrong after a 200, mostly; a dialect without the first has the second."""

ERROR_VARIANTS = tuple(fault.name for fault in STATUS_FAULTS if fault.name != "bad_gateway_html")
"""Which of its errors a provider tells: any but a page, which is no JSON."""

_MODEL = "{model}"


def told_error(scene: Scene) -> Json:
    """Write the error body that the variant names; the usual one where the dialect lacks it."""
    row = _row(scene)
    name = json.dumps(scene.call.model)[1:-1]
    body = json.loads(json.dumps(row.body).replace(_MODEL, name))
    return body if isinstance(body, dict) else {"error": {"message": str(body)}}


def whole_error(scene: Scene) -> Script:
    """Answer 200 with the error as a JSON body, whatever the caller wanted."""
    head = Head(200, (("content-type", "application/json"),))
    return Script((head, Send(json.dumps(told_error(scene)).encode())))


def _row(scene: Scene) -> ErrorRow:
    rows = scene.dialect.rows
    wanted = (scene.variant, *USUAL) if scene.variant else USUAL
    fitting = (rows[name] for name in wanted if name in rows and isinstance(rows[name].body, dict))
    return next(fitting, rows[USUAL[-1]])
