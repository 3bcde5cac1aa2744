"""Make a value that fits a JSON schema, with what a prompt says in it.

For the stand-in, which has to answer schemas that it has never seen. Never raises: a schema that
is none gives a text. Patterns, and formats other than dates, are not heeded.
"""

import re
from collections.abc import Mapping
from typing import Any

from chaos.protocol.conversation import Json

_NONCE = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{8}(?![0-9A-Za-z])")
_WORD_NONCE = re.compile(r"(?<![\w-])[a-z]+(?:-[a-z]+){3}(?![\w-])")
_DEEP = 4
_DEEPEST = 8
_MOST_ITEMS = 16
_MOST_CHARACTERS = 4_096
_FORMATS = {"date": "2026-01-02", "date-time": "2026-01-02T03:04:05Z", "time": "03:04:05Z"}


def find_nonce(text: str) -> str | None:
    """Find the last eight hexadecimal digits in *text*, else the last four words with dashes."""
    for form in (_NONCE, _WORD_NONCE):
        found = form.findall(text)
        if found:
            return str(found[-1])
    return None


def has_the_keys_of(value: Mapping[str, Any], schema: Json) -> bool:
    """Tell whether *value* has what *schema* requires, and nothing that it does not know."""
    return set(_required(schema)) <= value.keys() <= _properties(schema).keys()


def example(schema: Json, said: str = "") -> Any:
    """Make a value that fits *schema*.

    Args:
        said: Where it gives a property's value (``count = 7``), that is the value; other texts
            are the nonce in it, if there is one.
    """
    return _value(schema, schema, "", said, 0)


def _value(schema: Any, root: Json, key: str, said: str, depth: int) -> Any:
    schema = _resolved(schema, root)
    if "const" in schema:
        return schema["const"]
    told = _told(key, said)
    choices = schema.get("enum")
    if isinstance(choices, list) and choices:
        return next((choice for choice in choices if str(choice) == told), choices[0])
    kind = _kind(schema)
    if kind == "object":
        return _object(schema, root, said, depth)
    if kind == "array":
        count = _count(schema, depth)
        return [_value(schema.get("items"), root, key, said, depth + 1) for _ in range(count)]
    if kind in ("integer", "number"):
        return _number(schema, kind, told)
    if kind == "boolean":
        return told != "false"
    return None if kind == "null" else _string(schema, told, said)


def _count(schema: Json, depth: int) -> int:
    """Tell how many items to make; lists of lists of their own kind come to an end."""
    if depth >= _DEEP:
        return min(_whole(schema.get("minItems"), 0), 1) if depth < _DEEPEST else 0
    return min(_whole(schema.get("minItems"), 1), _MOST_ITEMS)


def _object(schema: Json, root: Json, said: str, depth: int) -> dict[str, Any]:
    if depth >= _DEEPEST:
        return {}
    properties, required = _properties(schema), _required(schema)
    wanted = [key for key in properties if key in required or _told(key, said) is not None]
    wanted += [key for key in required if key not in properties]
    if not wanted and depth == 0:
        wanted = list(properties)
    return {key: _value(properties.get(key), root, key, said, depth + 1) for key in wanted}


def _number(schema: Json, kind: str, told: str | None) -> int | float:
    if told is not None and re.fullmatch(r"-?\d+(\.\d+)?", told):
        return float(told) if "." in told and kind == "number" else int(float(told))
    value = _figure(schema.get("minimum"), 1)
    above = _figure(schema.get("exclusiveMinimum"), value - 1)
    value = above + 1 if value <= above else value
    value = min(value, _figure(schema.get("maximum"), value))
    step = _figure(schema.get("multipleOf"), 0)
    if step > 0:
        value = -(-value // step) * step
    return int(value) if kind == "integer" else value


def _string(schema: Json, told: str | None, said: str) -> str:
    text = told or _FORMATS.get(str(schema.get("format"))) or find_nonce(said) or "stand-in"
    text = text.ljust(min(_whole(schema.get("minLength"), 0), _MOST_CHARACTERS), "x")
    return text[: _whole(schema.get("maxLength"), len(text))]


def _told(key: str, said: str) -> str | None:
    """Find what *said* gives as the value of *key*: ``key = value``, ``key is value``."""
    if not key:
        return None
    gives = r"\"?\s*(?:=|:|\bis\b)\s*(?:\"([^\"]*)\"|([^\s,;{}\[\]]+))"
    found = re.search(rf"(?<!\w){re.escape(key)}{gives}", said)
    if found is None:
        return None
    return found[1] if found[1] is not None else found[2].rstrip(".!?)")


def _kind(schema: Json) -> str:
    told = schema.get("type")
    kinds = told if isinstance(told, list) else [told]
    named = [kind.lower() for kind in kinds if isinstance(kind, str) and kind.lower() != "null"]
    if named:
        return named[0]  # in small letters: Gemini's are in capitals
    if told is not None:
        return "null"
    return "object" if "properties" in schema else "array" if "items" in schema else "string"


def _resolved(schema: Any, root: Json, depth: int = 0) -> Json:
    """Follow references, and choose the first of several schemas that is not null."""
    for _ in range(_DEEPEST - depth):
        if not isinstance(schema, Mapping):
            return {}
        choices = [
            choice
            for word in ("anyOf", "oneOf")
            for choice in _list(schema.get(word))
            if isinstance(choice, Mapping)
        ]
        if isinstance(schema.get("$ref"), str):
            schema = _referred(schema["$ref"], root)
        elif choices:
            schema = next((one for one in choices if one.get("type") != "null"), choices[0])
        elif _list(schema.get("allOf")):
            parts = [_resolved(part, root, depth + 1) for part in _list(schema["allOf"])]
            schema = _merged(schema, parts)
        else:
            return schema
    return {}


def _merged(schema: Json, parts: list[Json]) -> Json:
    every = [{key: value for key, value in schema.items() if key != "allOf"}, *parts]
    merged: dict[str, Any] = {}
    for part in every:
        merged |= part
    properties = {key: value for part in every for key, value in _properties(part).items()}
    required = [name for part in every for name in _required(part)]
    return {**merged, "properties": properties, "required": required} if properties else merged


def _referred(reference: str, root: Json) -> Any:
    target: Any = root
    for part in filter(None, reference.removeprefix("#").split("/")):
        target = target.get(part) if isinstance(target, Mapping) else None
    return target


def _properties(schema: Json) -> Mapping[str, Any]:
    told = schema.get("properties")
    return told if isinstance(told, Mapping) else {}


def _required(schema: Json) -> list[str]:
    return [name for name in _list(schema.get("required")) if isinstance(name, str)]


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _figure(value: Any, default: float) -> int | float:
    good = isinstance(value, int | float) and not isinstance(value, bool)
    return value if good else default


def _whole(value: Any, default: int) -> int:
    good = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if good else default
