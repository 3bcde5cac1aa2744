"""What a configuration says of the outcome of drills, and where another one says something else.

Drills that a command hands to the daemon are judged by the daemon's configuration. Pure.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from supervisor.settings.model import Settings
from supervisor.settings.values import Section

DECIDING = ("drills", "engines", "providers", "wildcards", "paid", "accept", "expect")
"""Sections of which a drill's outcome, or whether it may be sent, depends."""


def said(settings: Settings) -> dict[str, Any]:
    """List what the file says itself, by its key, such as ``drills.deadline_s``; JSON's values.

    What it leaves to the defaults it does not care about.
    """
    return {
        key: value
        for key, value in _flat(settings)
        if key in _given(settings, key.partition(".")[0])
    }


def differences(given: Mapping[str, Any], settings: Settings) -> list[str]:
    """Say where *settings* differ from what another file says, key by key."""
    own = dict(_flat(settings))
    return [
        _difference(key, own.get(key), value)
        for key, value in given.items()
        if own.get(key) != value
    ]


def _flat(settings: Settings) -> Iterator[tuple[str, Any]]:
    dumped = settings.model_dump(mode="json", include=set(DECIDING))
    for name in DECIDING:
        if isinstance(getattr(settings, name), Section):
            yield from ((f"{name}.{key}", value) for key, value in dumped[name].items())
        else:
            yield name, dumped[name]


def _given(settings: Settings, name: str) -> set[str]:
    if name not in settings.model_fields_set:
        return set()
    section = getattr(settings, name)
    if isinstance(section, Section):
        return {f"{name}.{key}" for key in section.model_fields_set}
    return {name}


def _difference(key: str, there: Any, here: Any) -> str:
    if isinstance(here, list | dict):
        return f"{key} says something else there"
    return f"{key} is {'not set' if there is None else there} there and {here} here"
