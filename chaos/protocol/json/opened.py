"""Open a whole reply, the same way for every API: its object, or what came in its place."""

from collections.abc import Callable
from typing import Any

from chaos.protocol.conversation import Json
from chaos.protocol.json.defects import Defects
from chaos.protocol.json.text import excerpt, parse_json
from chaos.protocol.reading import Defect, ReadError, Reading


def opened(
    status: int, body: bytes, found: Defects, failure: Callable[[int, Any], ReadError]
) -> Json | Reading:
    """Take the object of a reply that claims to be good.

    Args:
        found: Takes what is wrong with the reply's form.
        failure: Reads the error of a failing reply: its status, and its parsed JSON or its text.

    Returns:
        The object; or the reading of a reply that failed, or that has no object.
    """
    good = 200 <= status < 300
    try:
        parsed = parse_json(body)
    except ValueError:
        found.add(Defect.NOT_JSON, excerpt(body) or "an empty body")
        error = None if good else failure(status, body.decode("utf-8", "replace"))
        return Reading(error=error, defects=found.found)
    if not isinstance(parsed, dict):
        found.add(Defect.NOT_AN_OBJECT, excerpt(body))
    if not good:
        return Reading(error=failure(status, parsed), defects=found.found, ended=True)
    return parsed if isinstance(parsed, dict) else Reading(defects=found.found)
