"""What a JSON schema means for a model, without the spelling that wire formats force on it.

Providers want ``additionalProperties`` added or gone, no ``$schema``, types in capitals, null as
``nullable``, references resolved. Two schemas with the same meaning ask for the same object.
"""

import json
from collections.abc import Iterable
from typing import Any

from chaos.protocol.conversation import Json

_DEEPEST = 24


def same_meaning(one: Json, other: Json) -> bool:
    """Tell whether two schemas ask for the same properties, types, values and requirements."""
    # Most gateways leave schemas as they are, and reading what they mean takes time.
    return one == other or bool(_meaning(one, one, 0) == _meaning(other, other, 0))


def _meaning(schema: Any, root: Json, depth: int) -> Any:
    if not isinstance(schema, dict) or depth > _DEEPEST:
        return None
    schema = _resolved(schema, root)
    variants = [
        variant
        for word in ("anyOf", "oneOf")
        for variant in schema.get(word) or ()
        if isinstance(variant, dict)
    ]
    real = [variant for variant in variants if _types(variant) != ["null"]]
    nullable = len(real) < len(variants)
    if len(real) == 1:
        schema = {**schema, **_resolved(real[0], root)}
        real = []
    merged = [part for part in schema.get("allOf") or () if isinstance(part, dict)]
    for part in merged:
        schema = {**schema, **_resolved(part, root)}
    types = _types(schema)
    nullable = nullable or "null" in types or schema.get("nullable") is True
    enum = schema.get("enum", [schema["const"]] if "const" in schema else [])
    values = sorted(json.dumps(value, sort_keys=True) for value in enum if value is not None)
    properties = schema.get("properties") or {}
    meaning = {
        "types": sorted(set(types) - {"null"}) or _implied(schema, enum),
        "nullable": nullable,
        "enum": values,
        "properties": {
            name: _meaning(value, root, depth + 1) for name, value in properties.items()
        },
        "required": sorted(_texts(schema.get("required") or ())),
        "items": _meaning(schema.get("items"), root, depth + 1),
        "variants": [_meaning(variant, root, depth + 1) for variant in real],
    }
    return {key: value for key, value in meaning.items() if value}


def _resolved(schema: Json, root: Json) -> Json:
    for _ in range(_DEEPEST):
        reference = schema.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return schema
        target: Any = root
        for part in reference[2:].split("/"):
            target = target.get(part) if isinstance(target, dict) else None
        if not isinstance(target, dict):
            return schema
        schema = {**{k: v for k, v in schema.items() if k != "$ref"}, **target}
    return schema


def _types(schema: Json) -> list[str]:
    told = schema.get("type")
    return [name.lower() for name in _texts([told] if isinstance(told, str) else told or ())]


def _texts(values: Iterable[Any]) -> list[str]:
    return [value for value in values if isinstance(value, str)]


def _implied(schema: Json, enum: Iterable[Any]) -> list[str]:
    if "properties" in schema:
        return ["object"]
    if "items" in schema:
        return ["array"]
    values = list(enum)
    return ["string"] if values and all(isinstance(value, str) for value in values) else []
