"""What the daemon rehearses by itself, and how often.

rehearse:
  target: 24h
  critical: ["claude-*"]
  groups:
    claude-sonnet: {surfaces: [chat_completions, messages], shapes: [chat, tool_call, agent]}
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from chaos.errors import UsageError
from chaos.faults.kinds import FAULTS, parse_fault
from chaos.protocol.surfaces import SURFACES
from chaos.registry import lookup
from chaos.traffic.clients import CLIENTS
from chaos.traffic.every_shape import EVERY_SHAPE
from supervisor.settings.values import Interval, Pattern, Section

Streaming = Literal["both", "streamed", "whole"]


def _known(kind: str, find: Callable[[str], object]) -> AfterValidator:
    def check(text: str) -> str:
        try:
            find(text)
        except UsageError as error:
            raise ValueError(f"not a {kind}: {error.remedy}") from error
        return text

    return AfterValidator(check)


def _one_of(names: Iterable[str]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": list(names)})


KnownFault = Annotated[
    str,
    _known("fault", parse_fault),
    # With their variants there are too many for a list.
    WithJsonSchema({"type": "string", "examples": list(FAULTS)}),
]


def _of_one_request(text: str) -> str:
    fault, name = parse_fault(text)
    if fault.lasts_s(name.variant) is not None:
        raise ValueError(
            "not a fault that the daemon drills by itself: it needs a twin with cooldowns; by hand "
            f"it is understudy drill --fault {name}"
        )
    return text


RehearsedFault = Annotated[
    str,
    _known("fault", parse_fault),
    AfterValidator(_of_one_request),
    WithJsonSchema({"type": "string", "examples": list(FAULTS)}),
]
KnownShape = Annotated[
    str, _known("traffic shape", lambda text: lookup("", text, EVERY_SHAPE)), _one_of(EVERY_SHAPE)
]
KnownSurface = Annotated[
    str, _known("surface", lambda text: lookup("", text, SURFACES)), _one_of(SURFACES)
]


KnownClient = Annotated[
    str, _known("client", lambda text: lookup("", text, CLIENTS)), _one_of(CLIENTS)
]


def _client_or_file(text: str) -> str:
    if not {"/", "."} & set(text) and text not in CLIENTS:
        raise ValueError(f"neither a client ({', '.join(CLIENTS)}) nor the path of a file")
    return text


class GroupRehearsal(Section):
    """What is different for the model groups of one pattern; what is missing is as for all."""

    enabled: bool | None = Field(None, description="False: these groups are not drilled.")
    critical: bool | None = Field(
        None, description="Whether they are critical, whatever rehearse.critical lists."
    )
    target: Interval | None = Field(None, description="How old the last pass of a path may be.")
    surfaces: tuple[KnownSurface, ...] | None = Field(
        None, description="Endpoints that their clients use."
    )
    shapes: tuple[KnownShape, ...] | None = Field(
        None, description="Kinds of request that they send."
    )
    streaming: Streaming | None = Field(
        None, description="Whether their clients stream, take whole replies, or both."
    )
    faults: tuple[RehearsedFault, ...] | None = Field(
        None, description="Faults that take turns on each path."
    )
    clients: tuple[KnownClient, ...] | None = Field(
        None, description="Clients that ask them: the agent shape is drilled once as each."
    )
    profile: Annotated[str, AfterValidator(_client_or_file)] | None = Field(
        None,
        description="As whom their drills ask, as --as: a client, or the path of a client profile.",
    )

    @property
    def asked_by(self) -> tuple[str, ...]:
        """The clients of the registry that ask them."""
        named = (self.profile,) if self.profile in CLIENTS else ()
        return tuple(dict.fromkeys((*(self.clients or ()), *filter(None, named))))

    @property
    def profile_file(self) -> Path | None:
        """The file of the user's own client profile."""
        own = self.profile is not None and self.profile not in CLIENTS
        return Path(self.profile) if own and self.profile is not None else None


class RehearseSettings(Section):
    """What is rehearsed is what is used: a selection, widened where more is in use."""

    enabled: bool = Field(True, description="False: the daemon drills nothing by itself.")
    target: Interval = Field(
        timedelta(hours=24), description="How old the last pass of a path may be."
    )
    critical_target: Interval = Field(
        timedelta(hours=1), description="The same, where the group is critical."
    )
    critical: tuple[Pattern, ...] = Field((), description="Critical model groups, with * and ?.")
    surfaces: tuple[KnownSurface, ...] = Field(
        ("chat_completions", "embeddings"), description="Endpoints that your clients use."
    )
    shapes: tuple[KnownShape, ...] = Field(
        ("chat", "tool_call", "embedding"), description="Kinds of request that they send."
    )
    streaming: Streaming = Field(
        "both", description="Whether your clients stream, take whole replies, or both."
    )
    clients: tuple[KnownClient, ...] = Field(
        (),
        description="Clients that ask your gateway: the agent shape is drilled once as each.",
    )
    faults: tuple[RehearsedFault, ...] = Field(
        (), description="Faults that take turns on each path; by default all that apply."
    )
    groups: dict[Pattern, GroupRehearsal] = Field(
        default_factory=dict,
        description="What is different for single groups, by name, with * and ?; the first that "
        "fits.",
    )

    def of(self, group: str) -> GroupRehearsal:
        """Say everything about *group*; nothing is None but the profile."""
        own = next(
            (one for pattern, one in self.groups.items() if fnmatchcase(group, pattern)),
            GroupRehearsal(),
        )
        critical = own.critical
        if critical is None:
            critical = any(fnmatchcase(group, pattern) for pattern in self.critical)
        common = GroupRehearsal(
            enabled=self.enabled,
            critical=critical,
            target=self.critical_target if critical else self.target,
            surfaces=self.surfaces,
            shapes=self.shapes,
            streaming=self.streaming,
            clients=self.clients,
            faults=self.faults,
        )
        given = {name: value for name, value in dict(own).items() if value is not None}
        return common.model_copy(update=given)
