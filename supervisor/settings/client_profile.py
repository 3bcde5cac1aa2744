"""Read as whom a drill asks: a client of the registry, or a profile of the user's own.

``--as NAME|FILE``; such a file may hold:

name: our-agent

system: You are a careful assistant.
headers: {x-team: search}
parameters: {top_p: 0.9}
tools: [{type: function, function: {name: search, parameters: {type: object}}}]
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from chaos.errors import UsageError
from chaos.traffic.clients import CLIENTS
from chaos.traffic.shape import ClientProfile
from supervisor.settings.file import explain

OF_THE_CONNECTION = frozenset({"connection", "content-length", "host", "transfer-encoding"})
"""Headers that no profile can set: the request would not be one."""

REMEDY = "Name a YAML file that holds any of: name, system, tools, headers, parameters."


def _header_name(name: str) -> str:
    if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
        raise ValueError("not the name of an HTTP header")
    if name.lower() in OF_THE_CONNECTION:
        raise ValueError("this header is of the connection, and set with it")
    return name


def _header_value(value: str) -> str:
    if not value.isprintable() or value != value.strip():
        raise ValueError("not a value that an HTTP header can carry")
    return value


_HeaderName = Annotated[str, AfterValidator(_header_name)]
_HeaderValue = Annotated[str, AfterValidator(_header_value)]


class ClientProfileFile(BaseModel):
    """What a client profile may say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str | None = Field(None, description="What reports call it.", max_length=64)
    system: str | None = None
    tools: tuple[dict[str, Any], ...] = ()
    headers: dict[_HeaderName, _HeaderValue] = Field(default_factory=dict)
    parameters: dict[str, Any] = Field(default_factory=dict)

    @property
    def profile(self) -> ClientProfile:
        """Give it as drills take it."""
        return ClientProfile(
            system=self.system,
            tools=self.tools,
            headers=self.headers,
            parameters=self.parameters,
            name=self.name,
        )


def client_named(text: str) -> str | ClientProfileFile:
    """Find what ``--as`` means: the name of a client, else the profile of that file.

    Raises:
        UsageError: It is neither; the message lists the known clients.
    """
    if text in CLIENTS:
        return text
    if is_a_word(text) and not Path(text).exists():
        raise UsageError(
            f"--as {text}: neither a client nor a file",
            remedy=f"Name one of {', '.join(CLIENTS)} ('understudy clients' describes them), or a "
            "YAML file.",
        )
    return read_profile_file(Path(text))


def is_a_word(text: str) -> bool:
    """Tell a name from a path: it has neither a folder nor an ending."""
    return not {"/", "."} & set(text)


def load_profile(path: Path) -> ClientProfile:
    """Read the profile in *path*, as drills take it.

    Raises:
        UsageError: The file cannot be read or is no profile.
    """
    return read_profile_file(path).profile


def read_profile_file(path: Path) -> ClientProfileFile:
    """Read the profile in *path*.

    Raises:
        UsageError: The file cannot be read or is no profile.
    """
    try:
        raw = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"--as {path}: cannot be read: {why}", remedy=REMEDY) from error
    if not isinstance(raw, Mapping | None):
        raise UsageError(f"--as {path}: not a mapping of names to values", remedy=REMEDY)
    try:
        profile = ClientProfileFile.model_validate(raw or {})
    except ValidationError as error:
        problems = "\n".join(
            f"  {explain(problem, ClientProfileFile)}" for problem in error.errors()
        )
        raise UsageError(f"--as {path}: no client profile\n{problems}", remedy=REMEDY) from error
    return profile if profile.name else profile.model_copy(update={"name": path.name})
