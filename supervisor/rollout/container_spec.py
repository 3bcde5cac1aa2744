"""What a container is made of, in the words of ``docker run``; as much of it as engines use."""

import re
import shlex
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    WithJsonSchema,
    field_validator,
)

from supervisor.settings.values import Section

SAME = "<as running>"
"""Stands in a rollout file for a value that is not to be written down."""

_SIZE = re.compile(r"^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$", re.IGNORECASE)
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


def size_of(text: str | int) -> int:
    """Read a size as Docker does: ``16g``, ``512m``, or bytes.

    Raises:
        ValueError: It is none.
    """
    found = _SIZE.match(str(text).strip())
    if found is None:
        raise ValueError("not a size, such as 16g")
    return int(float(found[1]) * _UNITS[found[2].lower()])


def size_text(size: int) -> str:
    """Write a size as people do: the largest unit that leaves a whole number."""
    for unit in ("t", "g", "m", "k"):
        if size and size % _UNITS[unit] == 0:
            return f"{size // _UNITS[unit]}{unit}"
    return str(size)


def _size(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    return size_text(size_of(value)) if isinstance(value, int | str) else value


Size = Annotated[
    str,
    BeforeValidator(_size),
    WithJsonSchema({"type": ["string", "integer"], "examples": ["16g"]}),
]


class Mount(Section):
    """A folder, a file or a volume of this machine, at a place in the container.

    Attributes:
        source: A path, or a volume's name.
        options: Others than ``ro`` and ``rw``, such as ``z`` or ``rshared``.
    """

    source: str = Field(min_length=1)
    target: str = Field(min_length=1, pattern=r"^/")
    read_only: bool = False
    options: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Mount":
        """Read ``SOURCE:TARGET[:OPTIONS]``.

        Raises:
            ValueError: It is none.
        """
        source, colon, rest = text.partition(":")
        target, _, options = rest.partition(":")
        if not colon or not source or not target.startswith("/"):
            raise ValueError("not SOURCE:TARGET, such as /models:/models:ro")
        words = [word for word in options.split(",") if word]
        return cls(
            source=source,
            target=target.rstrip("/") or "/",
            read_only="ro" in words,
            options=tuple(word for word in words if word not in ("ro", "rw")),
        )

    @property
    def is_path(self) -> bool:
        """It is a folder or a file of this machine, not a volume."""
        return self.source.startswith("/")

    def __str__(self) -> str:
        options = [*(["ro"] if self.read_only else []), *self.options]
        return ":".join([self.source, self.target, *([",".join(options)] if options else [])])


def _mount(value: Any) -> Any:
    return Mount.parse(value) if isinstance(value, str) else value


MountText = Annotated[
    Mount,
    BeforeValidator(_mount),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["/models:/models:ro"]}),
]

_PORT = re.compile(
    r"^(?:(?P<address>\[[0-9a-fA-F:]+\]|\d+(?:\.\d+){3}):)?(?:(?P<host>\d*):)?(?P<inside>\d+)"
    r"(?:/(?P<protocol>tcp|udp))?$"
)


class Port(Section):
    """A port of the container, published at one of this machine.

    Attributes:
        address: Where this machine listens; empty for everywhere.
        host: This machine's port; None where Docker chooses one.
    """

    inside: int = Field(ge=1, le=65535)
    host: int | None = Field(None, ge=1, le=65535)
    address: str = ""
    protocol: Literal["tcp", "udp"] = "tcp"

    @classmethod
    def parse(cls, text: str) -> "Port":
        """Read ``[ADDRESS:][PORT:]PORT[/PROTOCOL]``.

        Raises:
            ValueError: It is none.
        """
        found = _PORT.match(text.strip())
        if found is None:
            raise ValueError("not [ADDRESS:]PORT:PORT, such as 127.0.0.1:8000:8000")
        return cls(
            inside=int(found["inside"]),
            host=int(found["host"]) if found["host"] else None,
            address=(found["address"] or "").strip("[]"),
            protocol="udp" if found["protocol"] == "udp" else "tcp",
        )

    def __str__(self) -> str:
        address = f"[{self.address}]" if ":" in self.address else self.address
        if address in ("0.0.0.0", "[::]"):  # noqa: S104 -- what Docker shows for everywhere
            address = ""
        parts = [address] if address else []
        # Docker wants ADDRESS::PORT where it is to choose; so does this.
        parts += [str(self.host)] if self.host else [""] if address else []
        text = ":".join([*parts, str(self.inside)])
        return text if self.protocol == "tcp" else f"{text}/udp"


def _port(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return Port.parse(value) if isinstance(value, str) else value


PortText = Annotated[
    Port,
    BeforeValidator(_port),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": ["string", "integer"], "examples": ["127.0.0.1:8000:8000"]}),
]


def _words(value: Any) -> Any:
    """Take a command as one line, as a shell reads it, or word by word."""
    if isinstance(value, str):
        return shlex.split(value)
    if isinstance(value, list):
        return [str(word) if isinstance(word, int | float) else word for word in value]
    return value


Words = Annotated[
    tuple[str, ...],
    BeforeValidator(_words),
    WithJsonSchema(
        {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": ["string", "number"]}}]}
    ),
]


def _restart(value: str) -> str:
    if not re.fullmatch(r"no|always|unless-stopped|on-failure(:\d+)?", value):
        raise ValueError("not one of: no, always, unless-stopped, on-failure[:TIMES]")
    return value


def _unquoted_no(value: Any) -> Any:
    """YAML reads a bare ``no`` as false."""
    return "no" if value is False else value


Restart = Annotated[
    str,
    BeforeValidator(_unquoted_no),
    AfterValidator(_restart),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^(no|always|unless-stopped|on-failure(:[0-9]+)?)$"},
                {"const": False},
            ]
        }
    ),
]

_PLAIN = {"type": ["string", "number", "boolean"]}
Texts = Annotated[
    dict[str, str], WithJsonSchema({"type": "object", "additionalProperties": _PLAIN})
]
"""Texts by name; YAML's numbers and truth values are taken for what they say."""

Variables = Annotated[
    dict[str, str | None],
    WithJsonSchema(
        {
            "type": "object",
            "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
        }
    ),
]
Names = Annotated[
    tuple[str, ...],
    WithJsonSchema({"type": "array", "items": {"type": ["string", "integer"]}}),
]


def _devices_of_gpus(value: str) -> str:
    if value != "all" and not value.isdigit() and not value.startswith("device="):
        raise ValueError("not one of: all, a number of them, device=0,1")
    return value


def _gpus(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Gpus = Annotated[
    str,
    BeforeValidator(_gpus),
    AfterValidator(_devices_of_gpus),
    WithJsonSchema({"type": ["string", "integer"], "examples": ["all", "device=0"]}),
]


class ContainerSpec(Section):
    """One container. A key that is not given is as Docker has it without."""

    image: str = Field(min_length=1, description="The image, by name and tag, by digest or by id.")
    entrypoint: Words | None = Field(None, description="In place of the image's own.")
    command: Words | None = Field(
        None,
        description="What follows the entrypoint: one line as a shell reads it, or a list. "
        f"A flag's value that is '{SAME}' is taken from the container that runs.",
    )
    environment: Variables = Field(
        default_factory=dict,
        description="Variables by name; one without a value (null) is as in the container that "
        "runs, so that a secret need not be written down.",
    )
    mounts: tuple[MountText, ...] = Field((), description="SOURCE:TARGET[:ro]")
    gpus: Gpus | None = Field(None, description="As docker run --gpus: all, a number, device=0,1.")
    devices: tuple[str, ...] = Field((), description="Other devices: /dev/infiniband, say.")
    network: str = Field("bridge", description="host, bridge, none, or a network's name.")
    ports: tuple[PortText, ...] = Field((), description="[ADDRESS:]PORT:PORT; none with host.")
    ipc: str | None = Field(None, description="host, shareable, private.")
    pid: str | None = Field(None, description="host, or none.")
    shm_size: Size | None = Field(None, description="Size of /dev/shm: 16g.")
    ulimits: Texts = Field(default_factory=dict, description="NAME: SOFT[:HARD]; -1: all.")
    memory: Size | None = Field(None, description="Most memory of the host that it may take.")
    user: str | None = Field(None, description="USER[:GROUP]")
    groups: Names = Field((), description="Further groups of that user.")
    working_dir: str | None = Field(None, description="In place of the image's own.")
    privileged: bool = Field(False, description="All of the host's devices and rights.")
    cap_add: tuple[str, ...] = Field((), description="Capabilities beyond Docker's own.")
    cap_drop: tuple[str, ...] = Field((), description="Capabilities taken away.")
    security: tuple[str, ...] = Field((), description="As docker run --security-opt.")
    runtime: str | None = Field(None, description="nvidia, say; default: Docker's own.")
    read_only: bool = Field(False, description="Its own file system cannot be written.")
    tmpfs: Texts = Field(default_factory=dict, description="PATH: OPTIONS")
    hosts: tuple[str, ...] = Field((), description="NAME:ADDRESS, for its /etc/hosts.")
    init: bool | None = Field(None, description="A small process of Docker's reaps orphans.")
    labels: Texts = Field(default_factory=dict, description="NAME: VALUE")
    log_driver: str | None = Field(None, description="Default: Docker's own.")
    log_options: Texts = Field(
        default_factory=dict, description=f"NAME: VALUE; '{SAME}' as in the container that runs."
    )
    stop_signal: str | None = Field(None, description="In place of the image's own.")
    restart: Restart = Field(
        "unless-stopped", description="Its restart policy once it is accepted; 'no' before."
    )

    @field_validator("environment", "labels", "ulimits", "tmpfs", "log_options", mode="before")
    @classmethod
    def _plain(cls, raw: Any) -> Any:
        """Take numbers and truth values for what they say: YAML has types, Docker has none."""
        if not isinstance(raw, dict):
            return raw
        return {
            str(name): str(value).lower()
            if isinstance(value, bool)
            else str(value)
            if isinstance(value, int | float)
            else value
            for name, value in raw.items()
        }

    @field_validator("groups", mode="before")
    @classmethod
    def _names(cls, raw: Any) -> Any:
        return [str(one) for one in raw] if isinstance(raw, list) else raw

    @field_validator("ulimits")
    @classmethod
    def _limits(cls, limits: dict[str, str]) -> dict[str, str]:
        for name, text in limits.items():
            soft, _, hard = text.partition(":")
            if not all(re.fullmatch(r"-?\d+", part) for part in (soft, hard or soft)):
                raise ValueError(f"{name}: {text!r} is not SOFT[:HARD]")
        return limits

    def mount_at(self, path: str) -> tuple[Mount, str] | None:
        """Find the mount that holds *path*, and the path below its source; None if none does."""
        fitting = [
            one
            for one in self.mounts
            if path == one.target or path.startswith(f"{one.target.rstrip('/')}/")
        ]
        if not fitting:
            return None
        best = max(fitting, key=lambda one: len(one.target))
        return best, path[len(best.target.rstrip("/")) :].lstrip("/")
