"""What Compose would run of a service, as Compose itself reads its file.

Names, variables, defaults and several files are Compose's own affair: ``docker compose config``
resolves them, and this reads what it prints, in the forms of version 2 and of version 1.
"""

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from chaos.errors import SetupError, UsageError
from supervisor.rollout.command_line import is_secret
from supervisor.rollout.container_spec import ContainerSpec, Mount, Port
from supervisor.rollout.origin import Origin
from supervisor.rollout.origins.container import without_secrets
from supervisor.settings.file import read_yaml, validated

WITHIN_S = 60.0
_KNOWN = frozenset(
    {
        "image", "entrypoint", "command", "environment", "volumes", "deploy", "devices",
        "network_mode", "networks", "ports", "ipc", "pid", "shm_size", "ulimits", "mem_limit",
        "user", "group_add", "working_dir", "privileged", "cap_add", "cap_drop", "security_opt",
        "runtime", "read_only", "tmpfs", "extra_hosts", "init", "labels", "logging", "stop_signal",
        "restart", "container_name", "gpus", "depends_on", "expose", "profiles", "pull_policy",
        "stop_grace_period", "build", "platform", "healthcheck",
    }
)  # fmt: skip
_NO_PLUGIN = re.compile(r"not a docker command|unknown (shorthand )?flag|unknown command")
_REMEDY = "Write the file from the container that runs: --from-container NAME."


def resolved(file: Path) -> str:
    """Have Compose read its file.

    Raises:
        UsageError: There is no such file, or Compose refuses it.
        SetupError: There is no Compose.
    """
    if not file.is_file():
        raise UsageError(f"{file}: there is no such file", remedy="Name a Compose file.")
    commands = [
        found
        for found in (["docker", "compose"], ["docker-compose"])
        if shutil.which(found[0]) is not None
    ]
    why = ""
    for command in commands:
        try:
            done = subprocess.run(
                [*command, "--file", str(file), "config"],
                capture_output=True,
                text=True,
                errors="replace",
                timeout=WITHIN_S,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            why = str(error)
            continue
        if done.returncode == 0:
            return done.stdout
        told = done.stderr.strip()
        # A docker without the plugin takes "compose" for nothing, in words of its version.
        if command[0] == "docker-compose" or not _NO_PLUGIN.search(told):
            raise UsageError(f"{file}: Compose refuses it: {told[-500:]}", remedy="Mend it.")
    raise SetupError(
        f"there is no Docker Compose to read {file}" + (f": {why}" if why else ""),
        remedy=f"Install it (docker compose version); or: {_REMEDY}",
    )


def origin_of(text: str, service: str, *, name: str, container: str | None = None) -> Origin:
    """Read one service of what Compose has resolved.

    Args:
        name: The file's, in messages.
        container: The container that runs now; default: the name that the service says.

    Raises:
        UsageError: There is no such service, or it is no engine's.
    """
    raw = read_yaml(text, name=name, remedy=_REMEDY)
    services = raw.get("services") if isinstance(raw, Mapping) else None
    if not isinstance(services, Mapping) or not isinstance(services.get(service), Mapping):
        names = ", ".join(map(str, services or ())) or "none"
        raise UsageError(f"{name}: no service {service!r}", remedy=f"Its services: {names}.")
    one = _dollars(services[service])
    held = container or one.get("container_name")
    if not held:
        raise UsageError(
            f"{name}: the service {service!r} does not name its container",
            remedy="Say which one it is: --container NAME, as 'docker ps' lists it.",
        )
    if not one.get("image"):
        raise UsageError(
            f"{name}: the service {service!r} builds its image and does not name it",
            remedy="Give it an image: NAME:TAG beside build:.",
        )
    of = f"{name}, service {service}"
    try:
        parts = _spec(one, raw.get("networks") or {}, raw.get("volumes") or {})
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        why = " ".join(str(error).split())[:200]
        raise UsageError(f"{of}: it cannot be read: {why}", remedy=_REMEDY) from error
    spec = validated(parts, ContainerSpec, name=of, remedy=_REMEDY)
    left_out = [f"{key}: {str(one[key])[:200]}" for key in sorted(set(one) - _KNOWN)]
    if isinstance(one.get("healthcheck"), Mapping):
        left_out.append("its health check")
    networks = list(one.get("networks") or ())
    if len(networks) > 1:
        left_out.append(f"further networks: {', '.join(map(str, networks[1:]))}")
    return Origin(str(held), without_secrets(spec), tuple(left_out), f"{service} in {name}")


def _spec(
    one: Mapping[str, Any], networks: Mapping[str, Any], volumes: Mapping[str, Any]
) -> dict[str, Any]:
    logging, mounts = one.get("logging") or {}, one.get("volumes") or ()
    raw: dict[str, Any] = {
        "image": one["image"],
        "entrypoint": one.get("entrypoint"),
        "command": one.get("command"),
        "environment": _environment(one.get("environment")),
        "mounts": [_mount(each, volumes) for each in mounts if not _in_memory(each)],
        "gpus": _gpus(one),
        "devices": [_device(each) for each in one.get("devices") or ()],
        "network": _network(one, networks),
        "ports": [_port(each) for each in one.get("ports") or ()],
        "ipc": one.get("ipc"),
        "pid": one.get("pid"),
        "shm_size": one.get("shm_size"),
        "ulimits": _limits(one.get("ulimits") or {}),
        "memory": one.get("mem_limit") or _deploy(one, "limits").get("memory"),
        "user": one.get("user"),
        "groups": one.get("group_add") or [],
        "working_dir": one.get("working_dir"),
        "privileged": one.get("privileged") or False,
        "cap_add": one.get("cap_add") or [],
        "cap_drop": one.get("cap_drop") or [],
        "security": one.get("security_opt") or [],
        "runtime": one.get("runtime"),
        "read_only": one.get("read_only") or False,
        "tmpfs": {
            **_tmpfs(one.get("tmpfs") or ()),
            **{str(each["target"]): "" for each in mounts if _in_memory(each)},
        },
        "hosts": _hosts(one.get("extra_hosts") or ()),
        "init": one.get("init"),
        "labels": _pairs(one.get("labels") or {}),
        "log_driver": logging.get("driver"),
        "log_options": logging.get("options") or {},
        "stop_signal": one.get("stop_signal"),
        "restart": one.get("restart", "no"),
    }
    return {name: value for name, value in raw.items() if value is not None}


def _dollars(value: Any) -> Any:
    """Compose doubles a dollar that is none of its variables, wherever it stands."""
    if isinstance(value, str):
        return value.replace("$$", "$")
    if isinstance(value, Mapping):
        return {_dollars(name): _dollars(inner) for name, inner in value.items()}
    return [_dollars(inner) for inner in value] if isinstance(value, list) else value


def _environment(raw: Any) -> dict[str, str | None]:
    return {
        name: None if value is None or (is_secret(name) and value) else str(value)
        for name, value in _pairs(raw or {}).items()
    }


def _pairs(raw: Any) -> dict[str, Any]:
    if isinstance(raw, Mapping):
        return {str(name): value for name, value in raw.items()}
    parted = (str(line).partition("=") for line in raw)
    return {name: value if equals else None for name, equals, value in parted}


def _in_memory(raw: Any) -> bool:
    return isinstance(raw, Mapping) and raw.get("type") == "tmpfs"


def _mount(raw: Any, volumes: Mapping[str, Any]) -> str:
    if isinstance(raw, str):
        source, colon, rest = raw.removesuffix(":rw").partition(":")
        return f"{_called(source, volumes)}{colon}{rest}"
    return str(
        Mount(
            source=_called(str(raw.get("source") or ""), volumes),
            target=str(raw.get("target") or "/"),
            read_only=bool(raw.get("read_only")),
        )
    )


def _called(source: str, volumes: Mapping[str, Any]) -> str:
    """Name a volume as Docker does: Compose puts its project before its own names for them."""
    return str((volumes.get(source) or {}).get("name") or source)


def _port(raw: Any) -> str:
    if not isinstance(raw, Mapping):
        return str(raw)
    return str(
        Port(
            inside=int(raw["target"]),
            host=int(raw["published"]) if raw.get("published") else None,
            address=raw.get("host_ip") or "",
            protocol="udp" if raw.get("protocol") == "udp" else "tcp",
        )
    )


def _deploy(one: Mapping[str, Any], part: str) -> Mapping[str, Any]:
    return ((one.get("deploy") or {}).get("resources") or {}).get(part) or {}


def _gpus(one: Mapping[str, Any]) -> str | None:
    asked = one.get("gpus")
    requests: Sequence[Any] = _deploy(one, "reservations").get("devices") or ()
    if asked == "all":
        return "all"
    for each in [*(asked if isinstance(asked, list) else ()), *requests]:
        if "gpu" in (each.get("capabilities") or ["gpu"]):
            if each.get("device_ids"):
                return f"device={','.join(map(str, each['device_ids']))}"
            count = each.get("count", "all")
            return "all" if count in ("all", -1) else str(count)
    return None


def _device(raw: Any) -> str:
    if not isinstance(raw, Mapping):
        return str(raw)
    parts = [raw.get("source"), raw.get("target"), raw.get("permissions")]
    return ":".join(str(part) for part in parts if part)


def _network(one: Mapping[str, Any], networks: Mapping[str, Any]) -> str:
    if one.get("network_mode"):
        return str(one["network_mode"])
    names = list(one.get("networks") or ["default"])
    # Version 2 says what each is really called; of version 1 it is not told.
    called = (networks.get(names[0]) or {}).get("name")
    return str(called or ("bridge" if names[0] == "default" else names[0]))


def _limits(raw: Mapping[str, Any]) -> dict[str, str]:
    return {
        str(name): f"{value['soft']}:{value['hard']}" if isinstance(value, Mapping) else str(value)
        for name, value in raw.items()
    }


def _tmpfs(raw: Any) -> dict[str, str]:
    paths = [raw] if isinstance(raw, str) else list(raw)
    parted = (str(path).partition(":") for path in paths)
    return {path: options for path, _, options in parted}


def _hosts(raw: Any) -> list[str]:
    if isinstance(raw, Mapping):
        return [f"{name}:{address}" for name, address in raw.items()]
    return [str(line).replace("=", ":", 1) for line in raw]
