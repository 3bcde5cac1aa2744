"""Every setting as a row, read from the JSON schema that editors use."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter

from supervisor.settings.model import Settings
from supervisor.settings.values import duration_text

KEPT = "`env`, `file` or `credential`"
PLACES = {"env", "file", "credential"}
"""Settings of a secret's place, which is one value for a reader."""


def settings() -> Iterator[tuple[str, ...]]:
    """Every setting, with what it takes, its default and its meaning."""
    yield ("setting", "takes", "default", "meaning")
    schema = Settings.model_json_schema()
    yield from _rows("", schema, schema["$defs"])


def _rows(
    prefix: str, section: Mapping[str, Any], named: Mapping[str, Any]
) -> Iterator[tuple[str, ...]]:
    for name, field in section["properties"].items():
        path, value = f"{prefix}{name}", _resolve(field, named)
        inner, suffix = _inside(value, named)
        about = field.get("description") or value.get("description", "")
        if inner is None or suffix:
            yield (f"`{path}`", _takes(field, named), _default(field, value), about)
        if inner is not None:
            yield from _rows(f"{path}{suffix}.", inner, named)


def _inside(
    value: Mapping[str, Any], named: Mapping[str, Any]
) -> tuple[Mapping[str, Any] | None, str]:
    """Find the section in *value*, and how one of its entries is written after its name."""
    if value.get("type") == "object" and "properties" in value:
        return (None if _is_secret(value) else value), ""
    for key, suffix in (("additionalProperties", ".NAME"), ("items", "[]")):
        if isinstance(value.get(key), dict):
            entry = _resolve(value[key], named)
            entry = next((one for one in entry.get("anyOf", ()) if "properties" in one), entry)
            return (entry, suffix) if "properties" in entry else (None, "")
    return None, ""


def _resolve(field: Mapping[str, Any], named: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a reference, and leave out that it may be null."""
    choices = [one for one in field.get("anyOf", ()) if one.get("type") != "null"]
    if len(choices) == 1:
        field = choices[0]
    return named[field["$ref"].rpartition("/")[2]] if "$ref" in field else field


def _takes(field: Mapping[str, Any], named: Mapping[str, Any]) -> str:
    value = _resolve(field, named)
    if _is_secret(value):
        return f"URL, {KEPT}" if "plain" in value["properties"] else KEPT
    if "enum" in value:
        return ", ".join(f"`{one}`" for one in value["enum"])
    if _is_duration(value):
        return "duration"
    if value.get("pattern") == "^https?://":
        return "URL"
    if value["type"] == "string":
        form = value.get("format", "text")
        return "text" if form == "password" else form
    return {"array": "list", "object": "by name", "boolean": "true, false"}.get(
        value["type"], value["type"]
    )


def _default(field: Mapping[str, Any], value: Mapping[str, Any]) -> str:
    default = field.get("default")
    if default is None or default in ([], {}):
        return ""
    if _is_duration(value):
        default = duration_text(TypeAdapter(timedelta).validate_python(default))
    if isinstance(default, list):
        return ", ".join(f"`{one}`" for one in default)
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _is_secret(value: Mapping[str, Any]) -> bool:
    return set(value.get("properties", ())) >= PLACES


def _is_duration(value: Mapping[str, Any]) -> bool:
    return any("smhdw" in one.get("pattern", "") for one in value.get("anyOf", ()))
