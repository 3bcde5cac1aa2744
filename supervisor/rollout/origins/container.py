"""What a container was made of, from Docker's description of it. Pure.

Source: Docker Engine API 1.41 to 1.54, ``GET /containers/NAME/json`` and ``/images/NAME/json``.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from supervisor.rollout.command_line import hidden, is_secret
from supervisor.rollout.container_spec import (
    SAME,
    ContainerSpec,
    Mount,
    Port,
    size_text,
)
from supervisor.rollout.origin import Origin

SHM_BYTES = 64 << 20
"""Docker's own size of /dev/shm."""

_READ = frozenset(
    {
        "Binds", "ContainerIDFile", "LogConfig", "NetworkMode", "PortBindings", "RestartPolicy",
        "AutoRemove", "VolumesFrom", "Mounts", "CapAdd", "CapDrop", "ExtraHosts", "GroupAdd",
        "IpcMode", "PidMode", "Privileged", "ReadonlyRootfs", "SecurityOpt", "ShmSize", "Tmpfs",
        "Ulimits", "Runtime", "Memory", "Devices", "DeviceRequests", "Init",
    }
)  # fmt: skip
"""What a rollout file can say, or what is no part of it."""

_DOCKERS_OWN = frozenset(
    {
        "CgroupnsMode", "ConsoleSize", "Isolation", "MaskedPaths", "ReadonlyPaths", "MemorySwap",
        "MemorySwappiness", "OomKillDisable", "PidsLimit", "UTSMode", "UsernsMode", "Cgroup",
        "CgroupParent", "VolumeDriver", "BlkioDeviceReadBps", "OomScoreAdj", "DeviceCgroupRules",
        "Annotations",
    }
)  # fmt: skip
"""What Docker fills in by itself: not looked at, unless it is in ``_TOLD``."""

_TOLD = {
    "CgroupParent": ("",),
    "OomScoreAdj": (0,),
    "OomKillDisable": (None, False),
    "PidsLimit": (None, 0),
    "UTSMode": ("",),
    "UsernsMode": ("",),
    "MemorySwappiness": (None, -1),
}
_COMPOSE = "com.docker.compose."


def origin_of(container: Mapping[str, Any], image: Mapping[str, Any] | None) -> Origin:
    """Read a container.

    Args:
        image: Its image; what the image says by itself is not said again.
    """
    spec, left_out = read_spec(container, image)
    name = str(container.get("Name") or "").strip("/")
    return Origin(name, without_secrets(spec), left_out, f"the container {name}")


def read_spec(
    container: Mapping[str, Any], image: Mapping[str, Any] | None
) -> tuple[ContainerSpec, tuple[str, ...]]:
    """Read a container whole, with its secrets; and name what a rollout file has no word for."""
    config, host = _section(container, "Config"), _section(container, "HostConfig")
    own = _section(image or {}, "Config")
    entrypoint = _words(config.get("Entrypoint"))
    command = _words(config.get("Cmd"))
    networks = _section(_section(container, "NetworkSettings"), "Networks")
    mode = str(host.get("NetworkMode") or "default")
    raw: dict[str, Any] = {
        "image": str(config.get("Image") or container.get("Image") or ""),
        "entrypoint": None if entrypoint == _words(own.get("Entrypoint")) else list(entrypoint),
        "command": None
        if command == _words(own.get("Cmd")) and entrypoint == _words(own.get("Entrypoint"))
        else list(command),
        "environment": {
            name: value
            for name, value in _pairs(config.get("Env"))
            if (name, value) not in set(_pairs(own.get("Env")))
        },
        "mounts": tuple(_mounts(container)),
        "gpus": _gpus(host.get("DeviceRequests")),
        "devices": tuple(map(_device, host.get("Devices") or ())),
        "network": "bridge" if mode == "default" else mode,
        "ports": () if mode == "host" else tuple(_ports(host.get("PortBindings"))),
        "ipc": host.get("IpcMode") if host.get("IpcMode") not in ("", "private", None) else None,
        "pid": host.get("PidMode") or None,
        "shm_size": size_text(host["ShmSize"])
        if host.get("ShmSize") not in (None, 0, SHM_BYTES)
        else None,
        "ulimits": {
            str(one["Name"]): _limit(one["Soft"], one["Hard"]) for one in host.get("Ulimits") or ()
        },
        "memory": size_text(host["Memory"]) if host.get("Memory") else None,
        "user": _beyond(config, own, "User"),
        "groups": tuple(host.get("GroupAdd") or ()),
        "working_dir": _beyond(config, own, "WorkingDir"),
        "privileged": host.get("Privileged") is True,
        "cap_add": tuple(host.get("CapAdd") or ()),
        "cap_drop": tuple(host.get("CapDrop") or ()),
        "security": tuple(
            each for each in host.get("SecurityOpt") or () if not _implied(each, host)
        ),
        "runtime": host.get("Runtime") if host.get("Runtime") not in ("", "runc", None) else None,
        "read_only": host.get("ReadonlyRootfs") is True,
        "tmpfs": dict(host.get("Tmpfs") or {}),
        "hosts": tuple(host.get("ExtraHosts") or ()),
        "init": host.get("Init"),
        "labels": {
            name: value
            for name, value in (config.get("Labels") or {}).items()
            if value != (own.get("Labels") or {}).get(name) and not name.startswith(_COMPOSE)
        },
        "stop_signal": _beyond(config, own, "StopSignal"),
        "restart": _restart(host.get("RestartPolicy")),
        **_log(host.get("LogConfig")),
    }
    return ContainerSpec.model_validate(raw), tuple(_left_out(config, own, host, mode, networks))


def without_secrets(spec: ContainerSpec) -> ContainerSpec:
    """Leave secrets where they are: a variable without a value, a flag with ``<as running>``."""
    environment = {
        name: None if is_secret(name) and value else value
        for name, value in spec.environment.items()
    }
    options = {
        name: SAME if is_secret(name) and value else value
        for name, value in spec.log_options.items()
    }
    changed: dict[str, Any] = {"environment": environment, "log_options": options}
    for part in ("entrypoint", "command"):
        words = getattr(spec, part)
        if words is not None:
            changed[part] = tuple(hidden(words, SAME))
    return spec.model_copy(update=changed)


def made_by_compose(container: Mapping[str, Any]) -> str | None:
    """Name the Compose project and service that made a container; None if none did."""
    labels = _section(container, "Config").get("Labels") or {}
    project, service = labels.get(f"{_COMPOSE}project"), labels.get(f"{_COMPOSE}service")
    return f"{project}/{service}" if project and service else None


def argv(spec: ContainerSpec, image: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Put together what the container's process is: entrypoint and command, its own or the image's.

    A container with an entrypoint of its own does not get the image's command.
    """
    own = _section(image or {}, "Config")
    if spec.entrypoint is not None:
        return (*spec.entrypoint, *(spec.command or ()))
    command = spec.command if spec.command is not None else _words(own.get("Cmd"))
    return (*_words(own.get("Entrypoint")), *command)


# --- parts -----------------------------------------------------------------------------------


def _section(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = raw.get(name)
    return found if isinstance(found, Mapping) else {}


def _words(raw: Any) -> tuple[str, ...]:
    return tuple(map(str, raw)) if isinstance(raw, list | tuple) else ()


def _pairs(raw: Any) -> list[tuple[str, str]]:
    parted = (str(line).partition("=") for line in raw or ())
    return [(name, value) for name, _, value in parted]


def _beyond(config: Mapping[str, Any], own: Mapping[str, Any], name: str) -> str | None:
    value = config.get(name) or ""
    return str(value) if value and value != (own.get(name) or "") else None


def _mounts(container: Mapping[str, Any]) -> Iterable[Mount]:
    for one in container.get("Mounts") or ():
        if one.get("Type") == "tmpfs":
            continue
        source = one.get("Name") if one.get("Type") == "volume" else one.get("Source")
        words = [word for word in str(one.get("Mode") or "").split(",") if word]
        spread = one.get("Propagation") or ""
        # Docker says z of every volume; of a folder somebody has asked for it.
        usual = {"ro", "rw", "z"} if one.get("Type") == "volume" else {"ro", "rw"}
        options = [word for word in words if word not in usual]
        if spread not in ("", "rprivate") and spread not in options:
            options.append(spread)
        yield Mount(
            source=str(source or ""),
            target=str(one.get("Destination") or "/"),
            read_only=one.get("RW") is False,
            options=tuple(options),
        )


def _gpus(requests: Any) -> str | None:
    for one in requests or ():
        kinds = {kind for group in one.get("Capabilities") or () for kind in group}
        if "gpu" in kinds or one.get("Driver") in ("nvidia", "cdi"):
            if one.get("DeviceIDs"):
                return f"device={','.join(one['DeviceIDs'])}"
            count = one.get("Count", -1)
            return "all" if count in (-1, 0) else str(count)
    return None


def _device(one: Mapping[str, Any]) -> str:
    outside, inside = one.get("PathOnHost") or "", one.get("PathInContainer") or ""
    rights = one.get("CgroupPermissions") or "rwm"
    if rights != "rwm":
        return f"{outside}:{inside}:{rights}"
    return outside if outside == inside else f"{outside}:{inside}"


def _ports(bindings: Any) -> Iterable[Port]:
    for inside, bound in (bindings or {}).items():
        number, _, protocol = str(inside).partition("/")
        published: list[dict[str, Any]] = bound or [{}]
        for one in published:
            yield Port(
                inside=int(number),
                host=int(one["HostPort"]) if one.get("HostPort") else None,
                address=one.get("HostIp") or "",
                protocol="udp" if protocol == "udp" else "tcp",
            )


def _limit(soft: int, hard: int) -> str:
    return str(soft) if soft == hard else f"{soft}:{hard}"


def _implied(option: str, host: Mapping[str, Any]) -> bool:
    """Docker adds this one for host namespaces and privileged containers."""
    shares = host.get("IpcMode") == "host" or host.get("PidMode") == "host"
    return option == "label=disable" and (shares or host.get("Privileged") is True)


def _restart(policy: Any) -> str:
    name = str((policy or {}).get("Name") or "no")
    most = (policy or {}).get("MaximumRetryCount") or 0
    return f"{name}:{most}" if name == "on-failure" and most else name


def _log(config: Any) -> dict[str, Any]:
    driver = (config or {}).get("Type") or "json-file"
    options = dict((config or {}).get("Config") or {})
    if driver == "json-file" and not options:
        return {}
    return {"log_driver": driver, "log_options": options}


def _left_out(
    config: Mapping[str, Any],
    own: Mapping[str, Any],
    host: Mapping[str, Any],
    mode: str,
    networks: Mapping[str, Any],
) -> Iterable[str]:
    for name, value in host.items():
        usual = _TOLD.get(name)
        if name in _READ or (name in _DOCKERS_OWN and (usual is None or value in usual)):
            continue
        if value not in (None, 0, "", [], {}, False):
            yield f"HostConfig.{name}: {value}"
    if host.get("VolumesFrom"):
        yield f"--volumes-from {', '.join(host['VolumesFrom'])}"
    health = config.get("Healthcheck")
    if health and health != own.get("Healthcheck"):
        yield f"its health check: {' '.join(health.get('Test') or ())}"
    hostname = str(config.get("Hostname") or "")
    if hostname and not _is_id(hostname) and mode != "host":
        yield f"its own host name: {hostname}"
    if config.get("StopTimeout") not in (None, 10):
        yield f"how long it may take to stop: {config['StopTimeout']} s"
    if config.get("Tty"):
        yield "a terminal (--tty)"
    further = sorted(set(networks) - {mode, "bridge" if mode == "default" else mode})
    if further:
        yield f"further networks: {', '.join(further)}"
    for name in sorted(networks):
        short = set(networks[name].get("Aliases") or ())
        aliases = sorted(each for each in short if not _is_id(each))
        if aliases:
            yield f"its names in the network {name}: {', '.join(aliases)}"


def _is_id(text: str) -> bool:
    return len(text) == 12 and set(text) <= set("0123456789abcdef")
