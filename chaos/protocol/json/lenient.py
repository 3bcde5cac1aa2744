"""Take requests apart that gateways wrote: what is missing or odd counts as empty.

The counterpart of ``strict_json``, which is for replies.
"""

import json
import re
from typing import Any

from chaos.protocol.conversation import Json


def mapping(value: Any) -> Json:
    """Take an object; empty if *value* is none."""
    return value if isinstance(value, dict) else {}


def mappings(value: Any) -> list[Json]:
    """Take the objects of a list; empty if *value* is none."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text(value: Any) -> str:
    """Take a string; empty if *value* is none."""
    return value if isinstance(value, str) else ""


def optional_text(value: Any) -> str | None:
    """Take a string; None if *value* is none."""
    return value if isinstance(value, str) else None


def whole(value: Any) -> int | None:
    """Take a whole number; None if *value* is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def sum_of(*values: Any) -> int | None:
    """Add up the whole numbers among *values*; None if there is none."""
    told = [value for value in map(whole, values) if value is not None]
    return sum(told) if told else None


def number(value: Any) -> float | None:
    """Take a number; None if *value* is none."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def as_json_text(value: Any) -> str:
    """Write *value* as JSON text, as tool arguments are passed on."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def as_object(json_text: str) -> Json:
    """Parse tool arguments; empty if they are no JSON object."""
    try:
        return mapping(json.loads(json_text))
    except (ValueError, RecursionError):
        return {}


def either(parent: Json, camel: str) -> Any:
    """Take a field of a protobuf API, which allows ``camelCase`` and ``snake_case`` alike."""
    if camel in parent:
        return parent[camel]
    return parent.get(re.sub(r"[A-Z]", lambda found: f"_{found[0].lower()}", camel))
