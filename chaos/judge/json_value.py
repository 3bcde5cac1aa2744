"""Read and compare JSON that models have written: strictly, and never raising."""

import json
import re
from typing import Any

from jsonschema import Draft202012Validator

from chaos.protocol.conversation import Json


def json_object(text: str) -> dict[str, Any] | None:
    """Read *text* as one JSON object; None if it is none."""
    value = json_value(text)
    return value if isinstance(value, dict) else None


def json_value(text: str) -> Any:
    """Read *text* as one JSON object or list; None if it is neither."""
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) else None


def violation(value: Any, schema: Json) -> str | None:
    """Say how *value* breaks *schema*; None if it fits, or if the schema itself is none."""
    try:
        errors = sorted(Draft202012Validator(dict(schema)).iter_errors(value), key=str)
    except Exception:  # noqa: BLE001 -- a client profile's schema may be anything
        return None
    if not errors:
        return None
    place = ".".join(str(part) for part in errors[0].absolute_path)
    return f"{place}: {errors[0].message}" if place else str(errors[0].message)


def same(expected: Any, got: Any, *, any_nonce_for: str | None = None) -> bool:
    """Tell whether two JSON values are the same, types included.

    Args:
        any_nonce_for: A nonce in *expected* for which any other of its form will do: another
            request asked for another one.
    """
    if isinstance(expected, dict) and isinstance(got, dict):
        return expected.keys() == got.keys() and all(
            same(value, got[key], any_nonce_for=any_nonce_for) for key, value in expected.items()
        )
    if isinstance(expected, list | tuple) and isinstance(got, list | tuple):
        return len(expected) == len(got) and all(
            same(one, other, any_nonce_for=any_nonce_for)
            for one, other in zip(expected, got, strict=True)
        )
    if isinstance(expected, str) and isinstance(got, str) and any_nonce_for:
        return re.fullmatch(form_of(expected, any_nonce_for), got) is not None
    if isinstance(expected, bool) or isinstance(got, bool):
        return expected is got
    return bool(expected == got)


def form_of(text: str, nonce: str) -> str:
    """Write a pattern for *text* with any nonce in the place of *nonce*."""
    if not nonce or nonce not in text:
        return re.escape(text)
    return r"[0-9a-z]+(?:[ -][a-z]+)*".join(re.escape(part) for part in text.split(nonce))


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
