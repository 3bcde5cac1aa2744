"""Read and compare JSON that models have written: strictly, and never raising."""

import json
from collections.abc import Mapping
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


def same(expected: Any, got: Any) -> bool:
    """Tell whether two JSON values are the same, types included."""
    if isinstance(expected, dict) and isinstance(got, dict):
        return expected.keys() == got.keys() and all(
            same(value, got[key]) for key, value in expected.items()
        )
    if isinstance(expected, list | tuple) and isinstance(got, list | tuple):
        return len(expected) == len(got) and all(
            same(one, other) for one, other in zip(expected, got, strict=True)
        )
    if isinstance(expected, bool) or isinstance(got, bool):
        return expected is got
    return bool(expected == got)


def doubled_key(text: str) -> str | None:
    """Name a key that one object of *text* has twice: readers differ in which value counts."""
    doubled: list[str] = []

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        doubled.extend(name for name in names if names.count(name) > 1)
        return dict(pairs)

    try:
        json.loads(text, object_pairs_hook=note)
    except (ValueError, RecursionError):
        return None
    return doubled[0] if doubled else None


def undeclared(value: Any, schema: Any) -> str | None:
    """Name a property of *value* that *schema* does not declare; None if it declares them all.

    A schema that lists no properties, or allows others, leaves them open.
    """
    if not isinstance(schema, Mapping):
        return None
    if isinstance(value, list):
        items = (undeclared(item, schema.get("items")) for item in value)
        return next((found for found in items if found is not None), None)
    known = schema.get("properties")
    if not isinstance(value, dict) or not isinstance(known, Mapping):
        return None
    for name, inner in value.items():
        if name in known:
            found = undeclared(inner, known[name])
            if found is not None:
                return f"{name}.{found}"
        elif not schema.get("additionalProperties") and not schema.get("patternProperties"):
            return str(name)
    return None


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
