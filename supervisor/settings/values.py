"""What values the configuration file holds: secrets by their place, URLs, addresses, durations."""

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    WithJsonSchema,
    model_validator,
)

from chaos.errors import UsageError


class Section(BaseModel):
    """A part of the file: every key known, every number finite, nothing ever changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


CREDENTIALS = Path("/etc/understudy/credentials")
"""Where ``understudy service install`` keeps what the service is handed as credentials."""


class Secret(Section):
    """Where a secret is: in an environment variable, in a file, or in systemd's credentials."""

    env: str | None = Field(
        None,
        description="Name of the environment variable that holds it; where that is not set, of a "
        "credential.",
    )
    file: Path | None = Field(None, description="File that holds it; white space is trimmed.")
    credential: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$",
        max_length=200,
        description="Name of the credential that systemd hands to the service (LoadCredential=), "
        "or of a file in /etc/understudy/credentials.",
    )

    @model_validator(mode="after")
    def _one_place(self) -> "Secret":
        if sum(place is not None for place in (self.env, self.file, self.credential)) != 1:
            raise ValueError("name exactly one of: env, file, credential")
        return self

    @property
    def credential_name(self) -> str:
        """Name it as systemd's credentials do, wherever it is kept."""
        return self.credential or self.env or str(self.file).strip("/").replace("/", "-")

    def reveal(self) -> SecretStr:
        """Fetch it.

        Raises:
            UsageError: The variable is not set, the file cannot be read, or what is there is
                no key.
        """
        if self.env is not None and not self.env.isidentifier():
            raise UsageError(
                "the key's environment variable has a name that no variable can have",
                remedy="Give the variable's name, such as LITELLM_KEY, not the key itself.",
            )
        value = os.environ.get(self.env, "").strip() if self.env is not None else ""
        where, file = self._place()
        if not value and file is not None:
            where = f"file {file}" if self.env is None else where
            try:
                value = file.read_text("utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                why = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
                raise UsageError(
                    f"the key's {where} cannot be read: {why}",
                    remedy="Name a file that this user may read.",
                ) from error
        if not value:
            raise UsageError(
                f"the key's {where} is empty or not set",
                remedy=f"Set it: export {self.env}=sk-…" if self.env else "Write the key into it.",
            )
        if not value.isascii() or not value.isprintable() or " " in value:
            raise UsageError(
                f"the key's {where} holds more than a key: white space or characters that no "
                "HTTP header can carry",
                remedy="Leave nothing but the key in it.",
            )
        return SecretStr(value)

    def _place(self) -> tuple[str, Path | None]:
        """Say where it should be, and name the file to read; None if only a variable can hold it.

        A service reads what systemd has handed to it, because the file itself is for root alone.
        """
        handed = _credential(self.credential_name)
        if self.env is not None:
            return f"environment variable {self.env}", handed
        if self.file is not None:
            in_service = handed is not None and "CREDENTIALS_DIRECTORY" in os.environ
            return f"file {self.file}", handed if in_service else self.file.expanduser()
        return f"credential {self.credential}", handed or CREDENTIALS / str(self.credential)


def _credential(name: str) -> Path | None:
    """Find the file of a credential, as this service was given it or as root keeps it."""
    folders = [Path(folder) for folder in (os.environ.get("CREDENTIALS_DIRECTORY"),) if folder]
    for folder in (*folders, CREDENTIALS):
        file = folder / name
        # A file that may not be looked at is as good as none.
        if os.access(file, os.R_OK):
            return file
    return None


def http_url(value: str) -> str:
    """Take an http:// or https:// URL, without a slash at its end."""
    if not value.startswith(("http://", "https://")):
        raise ValueError("not an http:// or https:// URL")
    return value.rstrip("/")


HttpUrl = Annotated[
    str,
    AfterValidator(http_url),
    WithJsonSchema({"type": "string", "pattern": "^https?://"}),
]


def address(value: str) -> str:
    """Take ADDRESS:PORT."""
    host, colon, port = value.rpartition(":")
    if not colon or not host or not port.isdigit() or not 0 <= int(port) <= 65535:
        raise ValueError("not ADDRESS:PORT, such as 127.0.0.1:8941")
    return value


Address = Annotated[str, AfterValidator(address)]


def url_of(listen: str) -> str | None:
    """Say what this machine dials to reach who listens at *listen*; None if only it knows."""
    host, _, port = listen.rpartition(":")
    here = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 -- what is compared with
    return f"http://{here.get(host, host)}:{port}" if int(port) else None


_CLOSED = re.compile(r"\[!?+\]?+[^\]]*\]")
"""A choice of characters as ``fnmatch`` reads it: a ``]`` that comes first is one of them."""


def pattern(value: str) -> str:
    """Take a pattern for names, with * and ?, that some name can match."""
    if not value.strip():
        raise ValueError("empty, and matches nothing")
    if "[" in _CLOSED.sub("", value):
        raise ValueError("a pattern whose [ is never closed, and matches nothing")
    return value


Pattern = Annotated[str, AfterValidator(pattern)]

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?[smhdw])+")
_PART = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
_LONGEST_S = 3650 * 86_400.0


def parse_duration(value: Any) -> timedelta:
    """Read a duration as Prometheus writes them: ``90s``, ``1h30m``, ``7d``; a number is seconds.

    Raises:
        ValueError: It is not a duration, or longer than ten years.
    """
    if isinstance(value, timedelta):
        return value
    seconds = -1.0
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value)
    elif isinstance(value, str) and _DURATION.fullmatch(value):
        seconds = sum(float(number) * _UNITS_S[unit] for number, unit in _PART.findall(value))
    if not 0 <= seconds <= _LONGEST_S:
        raise ValueError("not a duration such as 90s, 15m, 1h30m or 7d")
    return timedelta(seconds=seconds)


def duration_text(value: timedelta, *, units: int = 4) -> str:
    """Write a duration as ``parse_duration`` reads it, the largest units first.

    Args:
        units: How many of them at most; what is smaller is left out.
    """
    seconds = round(value.total_seconds())
    parts = []
    for unit in ("d", "h", "m", "s"):
        count, seconds = divmod(seconds, int(_UNITS_S[unit]))
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts[:units]) or "0s"


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^([0-9]+(\.[0-9]+)?[smhdw])+$"},
                {"type": "number", "minimum": 0},
            ]
        }
    ),
]
"""Written as ``90s``, ``1h30m`` or ``7d``; a plain number means seconds."""

Interval = Annotated[Duration, Field(ge=timedelta(seconds=1))]
"""A duration after which something is done again: never zero."""
