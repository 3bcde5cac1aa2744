"""What a JSON schema means for a model, without the spelling that wire formats force on it.

Providers want ``additionalProperties`` added or gone, no ``$schema``, types in capitals, null as
``nullable``, references resolved, and limits that they do not know said in the description. Two
schemas with the same meaning ask for the same object. A schema may be anybody's, and broken: what
is no schema means nothing.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from chaos.protocol.conversation import Json

MOST_PARTS = 5_000
"""Of one schema: what comes after them is taken for the same, because reading it takes too long."""

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
_UNREAD = {"unread": True}
"""In the place of a part that is not read on: one that is inside itself, or one too many."""


def same_meaning(one: Json, other: Json, *, lacks: Collection[str] = ()) -> bool:
    """Tell whether *other* asks for the same properties, types, values, limits and requirements.

    Args:
        lacks: Words that *other* had no place for.
    """
    # Most gateways leave schemas as they are, and reading what they mean takes time.
    if one == other:
        return True
    return _same(_Reader(one).meaning(one), _Reader(other).meaning(other), lacks)


def _same(one: Any, other: Any, lacks: Collection[str]) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(
            _same(a, b, lacks) for a, b in zip(one, other, strict=True)
        )
    if not isinstance(one, dict) or not isinstance(other, dict):
        return bool(one == other)
    if _UNREAD in (one, other):
        return True
    told = (one.keys() | other.keys()) - {_SAID, _LIMITED}
    return (
        _limits_kept(one, other, lacks)
        and _flat(one.get(_SAID, "")) in _flat(other.get(_SAID, ""))
        and all(
            _same(one.get(key), other.get(key), lacks) or _has_no_place(key, one, other, lacks)
            for key in told
        )
    )


def _has_no_place(key: str, one: Json, other: Json, lacks: Collection[str]) -> bool:
    """Tell whether a difference comes from words that the other's format does not have."""
    if key == "types":
        # Google's schemas need a type everywhere, and LiteLLM writes the widest.
        return "type" in lacks and not one.get(key) and other.get(key) == ["object"]
    if key == "items":
        return "type" in lacks and not one.get(key)
    if key == "enum":
        values = one.get(key, [])
        lost = ("const" in lacks and one.get(_CONST)) or (
            "enum" in lacks and all(not value.startswith('"') for value in values)
        )
        return bool(lost) and not other.get(key)
    return key == _CONST


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
    if value is True:
        return "unique" in said
    return re.search(rf"(?<![\w.]){re.escape(str(value))}(?!\w|\.\d)", said) is not None


_SAID, _LIMITED, _CONST = " said", " limits", " const"
"""Keys of a meaning that no schema's property can be mistaken for."""


class _Reader:
    """Reads the parts of one schema, up to a bound."""

    def __init__(self, root: Json) -> None:
        self._root = root
        self._parts = 0

    def meaning(self, schema: Any, inside: frozenset[str] = frozenset(), depth: int = 0) -> Any:
        """Say what *schema* means, which is inside the parts of the references *inside*."""
        if not isinstance(schema, Mapping):
            return None
        self._parts += 1
        if self._parts > MOST_PARTS or depth > _DEEPEST:
            return _UNREAD
        resolved = self._resolved(schema, inside)
        if resolved is None:
            return _UNREAD
        schema, inside = resolved
        variants = [v for word in ("anyOf", "oneOf") for v in _schemas(schema.get(word))]
        real = [variant for variant in variants if _types(variant) != ["null"]]
        nullable = len(real) < len(variants)
        merged = [*(real if len(real) == 1 else ()), *_schemas(schema.get("allOf"))]
        real = [] if len(real) == 1 else real
        for part in merged:
            found = self._resolved(part, inside)
            if found is None:
                return _UNREAD
            schema, inside = _merged(schema, found[0]), found[1]
        types = _types(schema)
        read = [self.meaning(variant, inside, depth + 1) for variant in real]
        if read and all(isinstance(one, dict) and one.keys() <= {"types"} for one in read):
            # A choice among bare types is the same as a list of them.
            types = [*types, *(name for one in read for name in one.get("types", ()))]
            read = []
        enum = schema.get("enum")
        values = enum if isinstance(enum, list) else [schema["const"]] if "const" in schema else []
        properties = schema.get("properties")
        limits = {word: schema[word] for word in _LIMITS if _is_limit(schema.get(word))}
        meaning = {
            "types": sorted(set(types) - {"null"}) or _implied(schema, values),
            "nullable": nullable or "null" in types or schema.get("nullable") is True,
            "enum": sorted(json.dumps(v, sort_keys=True) for v in values if v is not None),
            "properties": {
                str(name): self.meaning(value, inside, depth + 1)
                for name, value in (properties if isinstance(properties, Mapping) else {}).items()
            },
            "required": sorted(_texts(schema.get("required"))),
            "items": self.meaning(schema.get("items"), inside, depth + 1),
            "variants": read,
            _CONST: "const" in schema and not isinstance(enum, list),
            _LIMITED: limits,
            _SAID: _text(schema.get("description")),
        }
        return {key: value for key, value in meaning.items() if value}

    def _resolved(self, schema: Json, inside: frozenset[str]) -> tuple[Json, frozenset[str]] | None:
        """Follow references; None where one leads back into itself."""
        for _ in range(_DEEPEST):
            reference = schema.get("$ref")
            if not isinstance(reference, str) or not reference.startswith("#"):
                return schema, inside
            if reference in inside:
                return None
            target: Any = self._root
            for part in reference.removeprefix("#").removeprefix("/").split("/"):
                if part:
                    target = target.get(part) if isinstance(target, Mapping) else None
            if not isinstance(target, Mapping):
                return schema, inside
            inside = inside | {reference}
            schema = {**{k: v for k, v in schema.items() if k != "$ref"}, **target}
        return schema, inside


def _merged(one: Json, other: Json) -> Json:
    """Put two schemas that both hold into one: what they list adds up."""
    both: dict[str, Any] = {**one, **other}
    ours, theirs = one.get("properties"), other.get("properties")
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        both["properties"] = {**ours, **theirs}
    required = [*_texts(one.get("required")), *_texts(other.get("required"))]
    if required:
        both["required"] = sorted(set(required))
    return both


def _is_limit(value: Any) -> bool:
    return value is not None and value is not False


def _schemas(value: Any) -> list[Json]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _types(schema: Json) -> list[str]:
    told = schema.get("type")
    return [name.lower() for name in _texts([told] if isinstance(told, str) else told)]


def _texts(values: Any) -> list[str]:
    return [one for one in values if isinstance(one, str)] if isinstance(values, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _flat(text: str) -> str:
    return " ".join(text.split())


def _implied(schema: Json, values: Iterable[Any]) -> list[str]:
    if "properties" in schema:
        return ["object"]
    if "items" in schema:
        return ["array"]
    listed = list(values)
    return ["string"] if listed and all(isinstance(value, str) for value in listed) else []
