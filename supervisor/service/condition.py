"""How the service is, by what systemd says of it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from supervisor.service.host import Host, ServiceError
from supervisor.service.install import SERVICE, SOCKET

ASKED = (
    "ActiveState",
    "ActiveEnterTimestamp",
    "LoadState",
    "MainPID",
    "MemoryCurrent",
    "NRestarts",
    "Result",
    "StatusText",
    "SubState",
    "UnitFileState",
)
NOT_SET = str(2**64 - 1)
"""How systemd writes a number that it does not know."""


class ServiceCondition(BaseModel):
    """How the service is.

    Attributes:
        state: ``active``, ``activating``, ``failed`` …, as systemd has it.
        status: What the daemon says of itself.
        restarts: How often systemd has restarted it since somebody started it.
        holds_port: The socket unit listens for the witness.
        at_boot: It is started when the machine is.
        problems: What is to be done, in words; empty if all is well.
    """

    model_config = ConfigDict(frozen=True)

    schema_: Literal["understudy/service/1"] = Field("understudy/service/1", alias="schema")
    installed: bool
    state: str
    since: str = ""
    pid: int | None = None
    memory_bytes: int | None = None
    restarts: int = 0
    status: str = ""
    holds_port: bool = False
    at_boot: bool = False
    problems: tuple[str, ...] = ()


def condition(host: Host) -> ServiceCondition:
    """Ask systemd.

    Raises:
        ServiceError: There is none to ask.
    """
    service, socket = _show(host, SERVICE), _show(host, SOCKET)
    installed = service["LoadState"] == "loaded"
    if not installed:
        return ServiceCondition(
            installed=False,
            state=service["ActiveState"],
            problems=("it is not installed: understudy service install",),
        )
    holds = socket["ActiveState"] == "active"
    at_boot = service["UnitFileState"] == "enabled" and socket["UnitFileState"] == "enabled"
    return ServiceCondition(
        installed=True,
        state=service["ActiveState"],
        since=service["ActiveEnterTimestamp"],
        pid=int(service["MainPID"]) or None,
        memory_bytes=_number(service["MemoryCurrent"]),
        restarts=_number(service["NRestarts"]) or 0,
        status=service["StatusText"],
        holds_port=holds,
        at_boot=at_boot,
        problems=tuple(_problems(service, holds=holds, at_boot=at_boot)),
    )


def _problems(service: dict[str, str], *, holds: bool, at_boot: bool) -> list[str]:
    found = []
    if service["ActiveState"] != "active":
        state = f"{service['ActiveState']} ({service['SubState']}, {service['Result']})"
        found.append(f"it is {state}: journalctl -u understudy -n 20")
    if not holds:
        found.append(f"nobody holds the witness's port while it is down: systemctl start {SOCKET}")
    if not at_boot:
        found.append(f"it is not started at boot: systemctl enable {SOCKET} {SERVICE}")
    return found


def _show(host: Host, unit: str) -> dict[str, str]:
    properties = f"--property={','.join(ASKED)}"
    printed = host.run("systemctl", "show", properties, unit, shown=False)
    shown = dict.fromkeys(ASKED, "")
    for line in printed.splitlines():
        name, _, value = line.partition("=")
        shown[name] = value
    if not shown["LoadState"]:
        raise ServiceError(
            f"systemctl says nothing of {unit}", remedy="This needs a machine that runs systemd."
        )
    return shown


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() and text != NOT_SET else None
