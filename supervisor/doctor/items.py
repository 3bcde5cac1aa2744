"""The contract of a check-up: can this machine, with this configuration, drill?

``supervisor.doctor.machine`` looks at the machine, ``supervisor.doctor.gateway`` at the gateway
and its engines; no model request is sent.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from chaos.exit_code import ExitCode
from chaos.witness.redaction import without_keys


class Status(StrEnum):
    """How one item stands: a warning does not keep anybody from drilling."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Item(BaseModel):
    """One thing that was looked at.

    Attributes:
        name: Stable, for machines.
        remedy: What to do; None where all is well.
        groups: Every model group that it is about, where it is about some; the message names the
            first few of many.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    status: Status
    message: str
    remedy: str | None = None
    groups: tuple[str, ...] = ()


class DoctorReport(BaseModel):
    """What ``understudy doctor --format json`` prints."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    schema_: Literal["understudy/doctor-report/1"] = Field(
        "understudy/doctor-report/1", alias="schema"
    )
    items: tuple[Item, ...]


CONFIGURATION = "configuration"


def ok(name: str, message: str, groups: Iterable[str] = ()) -> Item:
    """Say that an item is well."""
    return Item(name=name, status=Status.OK, message=message, groups=tuple(groups))


def warn(name: str, message: str, remedy: str, groups: Iterable[str] = ()) -> Item:
    """Say that an item is not well, though drills are possible."""
    return Item(
        name=name,
        status=Status.WARN,
        message=without_keys(message),
        remedy=remedy,
        groups=tuple(groups),
    )


def fail(name: str, message: str, remedy: str) -> Item:
    """Say that an item keeps drills from working."""
    return Item(name=name, status=Status.FAIL, message=without_keys(message), remedy=remedy)


def exit_code(items: Iterable[Item]) -> ExitCode:
    """Say how ``understudy doctor`` ends: 2 for a broken configuration, 1 for another failure."""
    failed = {item.name for item in items if item.status is Status.FAIL}
    if CONFIGURATION in failed:
        return ExitCode.ERROR
    return ExitCode.FAILED if failed else ExitCode.OK
