"""Every secret that a configuration names by its place, found without a list of them."""

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from supervisor.settings.alerting import Target
from supervisor.settings.model import Settings
from supervisor.settings.values import Secret


def secrets_of(settings: Settings) -> dict[str, Secret]:
    """Give each secret of *settings* by the path of its setting, such as ``gateway.key``."""
    return dict(_secrets(settings, ""))


def _secrets(value: object, path: str) -> Iterator[tuple[str, Secret]]:
    if isinstance(value, Target):
        value = value.secret
    if isinstance(value, Secret):
        yield path, value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets(getattr(value, name), f"{path}.{name}".lstrip("."))
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _secrets(inner, f"{path}.{name}")
    elif isinstance(value, tuple):
        for number, inner in enumerate(value):
            yield from _secrets(inner, f"{path}[{number}]")
