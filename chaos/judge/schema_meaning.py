"""What a JSON schema means for a model, without the spelling that wire formats force on it.

Providers want ``additionalProperties`` added or gone, no ``$schema``, types in capitals, null as
``nullable``, references resolved, and limits that they do not know said in the description. Two
schemas with the same meaning ask for the same object.
"""

import json
from collections.abc import Collection, Iterable
from typing import Any

from chaos.protocol.conversation import Json

_DEEPEST = 24
_LIMITS = frozenset(
    {
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "pattern",
        "format",
        "minItems",
        "maxItems",
        "uniqueItems",
        "minProperties",
        "maxProperties",
    }
)


def same_meaning(one: Json, other: Json, *, lacks: Collection[str] = ()) -> bool:
    """Tell whether *other* asks for the same properties, types, values, limits and requirements.

    Args:
        lacks: Limits that *other* has no words for.
    """
    # Most gateways leave schemas as they are, and reading what they mean takes time.
    if one == other:
        return True
    return _same(_meaning(one, one, 0), _meaning(other, other, 0), lacks)


def _same(one: Any, other: Any, lacks: Collection[str]) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(
            _same(a, b, lacks) for a, b in zip(one, other, strict=True)
        )
    if not isinstance(one, dict) or not isinstance(other, dict):
        return bool(one == other)
    return (
        _limits_kept(one, other, lacks)
        and (one.keys() ^ other.keys()) <= {_SAID, _LIMITED}
        and all(_same(one[key], other[key], lacks) for key in one.keys() - {_SAID, _LIMITED})
    )


def _limits_kept(one: Json, other: Json, lacks: Collection[str]) -> bool:
    ours, theirs, said = one.get(_LIMITED, {}), other.get(_LIMITED, {}), other.get(_SAID, "")
    for word, value in ours.items():
        if word in theirs:
            if str(theirs[word]) != str(value):
                return False
        elif word not in lacks and not _is_said(value, said):
            return False
    # Formats are added to tell kinds of numbers apart.
    return set(theirs) - set(ours) <= {"format"}


def _is_said(value: Any, said: str) -> bool:
    """Tell whether a limit is in the description: a way of some gateways to keep it."""
    return ("unique" if value is True else str(value)) in said


_SAID, _LIMITED = " said", " limits"
"""Keys of a meaning that no schema's property can be mistaken for."""


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
        _LIMITED: {word: schema[word] for word in _LIMITS if schema.get(word) not in (None, False)},
        _SAID: schema.get("description", ""),
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
