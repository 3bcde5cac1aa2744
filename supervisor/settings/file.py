"""Read the configuration file, and explain every problem in it at once.

/etc/understudy/understudy.yaml: 2 problems
  drills.deadlin_s: unknown key; did you mean 'deadline_s'?
  witness.listen[0]: '127.0.0.1' is not ADDRESS:PORT, such as 127.0.0.1:8941
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from chaos.errors import UsageError
from chaos.registry import suggestion
from supervisor.settings.model import Settings, settings_path
from supervisor.settings.unique_keys import UniqueKeysLoader

S = TypeVar("S", bound=BaseModel)


def load_settings(given: Path | None = None, *, may_be_empty: bool = True) -> Settings:
    """Read the configuration file, if there is one; see ``settings_path`` for where.

    Args:
        may_be_empty: False where a file that says nothing is a mistake: nobody gives a daemon
            one, and what has emptied it was a full disk or an editor.

    Raises:
        UsageError: The file cannot be read, or anything in it is wrong; the message lists all.
    """
    path = settings_path(given)
    if path is None:
        return Settings()
    return parse_settings(read_settings(path), name=str(path), may_be_empty=may_be_empty)


def read_settings(path: Path) -> str:
    """Read the text of a configuration file.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise UsageError(
            f"{path}: cannot be read: {why}",
            remedy="Name a file that exists with --config or $UNDERSTUDY_CONFIG; "
            "'understudy init' writes one.",
        ) from error


def parse_settings(text: str, *, name: str, may_be_empty: bool = True) -> Settings:
    """Validate *text*; *name* is the file's name in messages.

    Raises:
        UsageError: As ``load_settings``.
    """
    remedy = "Mend it; 'understudy config check' tries again."
    raw = read_yaml(text, name=name, remedy=remedy, unique=True)
    if raw is None and not may_be_empty:
        raise UsageError(
            f"{name}: the file says nothing: it is {'all comments' if text.strip() else 'empty'}",
            remedy="Begin with a section such as 'gateway:'; 'understudy init' writes an example.",
        )
    if raw is None:
        return Settings()
    if not isinstance(raw, Mapping):
        raise UsageError(
            f"{name}: the file holds {_kind(raw)}, not sections",
            remedy="Begin with a section such as 'gateway:'; 'understudy init' writes an example.",
        )
    return validated(
        raw, Settings, name=name, remedy="Mend them all; 'understudy config check' tries again."
    )


def read_yaml(text: str, *, name: str, remedy: str, unique: bool = False) -> Any:
    """Read YAML.

    Args:
        unique: Refuse a key that is there twice, of which YAML would take the last; for our own
            files, because others may be read by programs that mind less.

    Raises:
        UsageError: It is none; the message says where.
    """
    loader = UniqueKeysLoader(text) if unique else yaml.SafeLoader(text)
    try:
        value = loader.get_single_data()
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2026-13-45
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise UsageError(
            f"{name}: not YAML{where}: {getattr(error, 'problem', None) or error}", remedy=remedy
        ) from error
    except RecursionError:
        raise UsageError(f"{name}: nested too deeply", remedy=remedy) from None
    finally:
        loader.dispose()
    twice = loader.twice if isinstance(loader, UniqueKeysLoader) else []
    if twice:
        count = "1 problem" if len(twice) == 1 else f"{len(twice)} problems"
        raise UsageError(
            "\n".join([f"{name}: {count}", *(f"  {one}" for one in twice)]), remedy=remedy
        )
    return value


def validated(raw: Any, model: type[S], *, name: str, remedy: str) -> S:
    """Take what a file holds for a section, or for all of it.

    Args:
        name: The file's, in messages.

    Raises:
        UsageError: Anything in it is wrong; the message lists all of it, a line each.
    """
    if not isinstance(raw, Mapping):
        raise UsageError(
            f"{name}: the file holds {'nothing' if raw is None else _kind(raw)}, not sections",
            remedy=remedy,
        )
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        problems = [explain(problem, model) for problem in error.errors(include_url=False)]
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise UsageError(
            "\n".join([f"{name}: {count}", *(f"  {problem}" for problem in problems)]),
            remedy=remedy,
        ) from error


_PLAIN = {
    "bool_parsing": "neither true nor false",
    "date_from_datetime_parsing": "no date such as 2026-12-31",
    "date_type": "no date such as 2026-12-31",
    "dict_type": "not of the form NAME: VALUE",
    "finite_number": "no finite number",
    "float_parsing": "no number",
    "int_parsing": "no whole number",
    "path_type": "no path of a file",
    "string_too_short": "empty",
    "string_type": "no text",
    "tuple_type": "no list; put it into brackets",
}
"""What pydantic says in its own words, by its name for the problem."""


def explain(problem: ErrorDetails, model: type[BaseModel] = Settings) -> str:
    """Say one problem in one line: path, value, what was allowed or probably meant.

    Args:
        model: What was validated; suggests its own keys.
    """
    location = problem["loc"]
    value = problem["input"]
    if location[:1] == ("notifiers",) and location[-1] != "[key]":
        value = None  # Addresses of receivers hold keys, and a mistyped one does so too.
    where = _path(location)
    context = problem.get("ctx") or {}
    if problem["type"] == "extra_forbidden":
        known = _keys_at(model, location[:-1])
        return f"{where}: unknown key; {suggestion(str(location[-1]), known)}"
    if problem["type"] == "missing":
        return f"{where}: missing"
    if "expected" in context:
        allowed = [
            part.strip("' ") for part in context["expected"].replace(" or ", ", ").split(",")
        ]
        return f"{where}: {value!r} is not allowed; {suggestion(str(value), allowed)}"
    if problem["type"] in ("model_type", "model_attributes_type"):
        # The value is not shown: it may be a key that was written where its place belongs.
        return f"{where}: not a section with any of: {', '.join(_keys_at(model, location))}"
    plain = _PLAIN.get(problem["type"])
    if plain is not None:
        return f"{where}: {_shown(value)} is {plain}"
    if "error" in context:
        shown = isinstance(value, str | int | float | bool)
        return f"{where}: {f'{_shown(value)} is ' if shown else ''}{context['error']}"
    return f"{where}: {_shown(value)}: {problem['msg'][:1].lower()}{problem['msg'][1:]}"


def schema() -> dict[str, Any]:
    """Make the JSON schema of the file, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Settings.model_json_schema(),
    }


def _path(location: tuple[int | str, ...]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text or "the file"


def _keys_at(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    named = False  # The part before was a dictionary's field: this one is a name of the user's.
    for part in location:
        if isinstance(part, int) or named:
            named = False
            continue
        found = model.model_fields.get(part)
        inner = _model_of(found.annotation) if found else None
        if found is None or inner is None:
            return []
        named = get_origin(found.annotation) is dict
        model = inner
    return list(model.model_fields)


def _model_of(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((m for arg in get_args(annotation) if (m := _model_of(arg)) is not None), None)


def _kind(value: object) -> str:
    return {list: "a list", str: "text", bool: "a truth value"}.get(type(value), "a number")


def _shown(value: object) -> str:
    """Show a value, but for whole sections, which may hold what should not be shown."""
    return json.dumps(value) if isinstance(value, str | int | float | bool) else _kind_of(value)


def _kind_of(value: object) -> str:
    return "nothing" if value is None else "a list" if isinstance(value, list) else "this"
