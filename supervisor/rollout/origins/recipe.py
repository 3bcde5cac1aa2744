"""What sparkrun would run of a recipe, on the one machine that is here. Pure.

Source: sparkrun's recipe reference and its Docker executor's defaults, of November 2026: the
host's network and IPC, all GPUs, 25 GB of /dev/shm, its cache of Hugging Face's models.
"""

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any

from chaos.errors import UsageError
from supervisor.rollout.command_line import is_secret
from supervisor.rollout.container_spec import ContainerSpec
from supervisor.rollout.origin import Origin
from supervisor.rollout.origins.container import without_secrets
from supervisor.settings.file import read_yaml, validated

CACHE = "/cache/huggingface"
"""Where sparkrun's containers have the models."""

FLAGS = {
    "tensor_parallel": "tensor-parallel-size",
    "pipeline_parallel": "pipeline-parallel-size",
    "data_parallel": "data-parallel-size",
}
"""Keys of a recipe that are not called as vLLM's flags are."""

ON_BY_ITSELF = frozenset(
    {
        "enable_prefix_caching",
        "enable_chunked_prefill",
        "async_scheduling",
        "enable_flashinfer_autotune",
        "scheduler_reserve_full_isl",
    }
)
"""Switches that vLLM turns on by itself: false has to be said."""

_NOT_FLAGS = frozenset({"host", "port"})
_PLACE = re.compile(r"\{(\w+)\}")
_RUNTIMES = ("vllm", "vllm-distributed", "vllm-ray", "eugr-vllm", "")


def origin_of(text: str, *, name: str, container: str, home: str) -> Origin:
    """Read a recipe.

    Args:
        name: The file's, in messages.
        container: The container that runs now, which sparkrun has named.
        home: The user's folder, where the models are.

    Raises:
        UsageError: It is none, or of another engine, or needs more than this machine.
    """
    remedy = "Name a recipe of sparkrun's with model, container and defaults or command."
    recipe = read_yaml(text, name=name, remedy=remedy)
    if not isinstance(recipe, Mapping) or not recipe.get("container"):
        raise UsageError(f"{name}: no recipe that names a container", remedy=remedy)
    try:
        return _origin(recipe, name=name, container=container, home=home, remedy=remedy)
    except (TypeError, ValueError, AttributeError) as error:
        why = " ".join(str(error).split())[:200]
        raise UsageError(f"{name}: it cannot be read: {why}", remedy=remedy) from error


def _origin(
    recipe: Mapping[str, Any], *, name: str, container: str, home: str, remedy: str
) -> Origin:
    runtime = str(recipe.get("runtime") or "")
    if runtime not in _RUNTIMES:
        raise UsageError(
            f"{name}: its runtime is {runtime!r}, and rollouts know vLLM",
            remedy="Write the file from the container that runs: --from-container NAME.",
        )
    defaults = dict(recipe.get("defaults") or {})
    model = str(recipe.get("model") or "")
    if not model and not recipe.get("command"):
        raise UsageError(f"{name}: it names neither a model nor a command", remedy=remedy)
    values = {"host": "0.0.0.0", "port": 8000, **defaults, "model": model}  # noqa: S104 -- sparkrun's own
    if int(recipe.get("min_nodes") or 1) > 1:
        raise UsageError(
            f"{name}: it needs {recipe['min_nodes']} machines, and a rollout is of one container",
            remedy="Exchange it with sparkrun itself.",
        )
    command, template = recipe.get("command"), bool(recipe.get("command"))
    words = (
        _filled(str(command), values, name) if template else _from_defaults(model, defaults, values)
    )
    executor = dict(recipe.get("executor_config") or {})
    mounts = [f"{home}/.cache/huggingface:{CACHE}"]
    if model.startswith("/"):
        mounts.append(f"{model}:{model}:ro")
    environment = {
        "HF_HOME": CACHE,
        "HF_HUB_OFFLINE": "1",
        **{
            str(key): None if is_secret(str(key)) else value
            for key, value in (recipe.get("env") or {}).items()
        },
    }
    raw = {
        "image": str(recipe["container"]),
        "entrypoint": executor.get("entrypoint") or None,
        "command": words,
        "environment": environment,
        "mounts": mounts,
        "gpus": executor.get("gpus", "all"),
        "network": executor.get("network", "host"),
        "ipc": executor.get("ipc", "host"),
        "shm_size": executor.get("shm_size", "25gb"),
        "privileged": bool(executor.get("privileged", False)),
        "user": executor.get("user"),
        "cap_add": executor.get("cap_add") or [],
        "security": executor.get("security_opt") or [],
        "devices": executor.get("devices") or [],
        "ulimits": _limits(executor.get("ulimit") or ["memlock=-1:-1", "stack=67108864"]),
        "memory": executor.get("memory_limit"),
        "restart": executor.get("restart_policy") or "unless-stopped",
    }
    left_out = [
        f"{key}: {json.dumps(recipe[key], default=str)[:200]}"
        for key in ("pre_exec", "post_exec", "post_commands", "mods", "containers", "builder")
        if recipe.get(key)
    ]
    spec = validated(raw, ContainerSpec, name=name, remedy=remedy)
    return Origin(container, without_secrets(spec), tuple(left_out), f"the recipe {name}")


def _filled(template: str, values: Mapping[str, Any], name: str) -> list[str]:
    """Fill a command's places, as ``{port}``; braces of JSON are none."""
    missing = sorted({key for key in _PLACE.findall(template) if key not in values})
    if missing:
        raise UsageError(
            f"{name}: its command needs {', '.join(missing)}, which the defaults do not have",
            remedy="Add them to the recipe's defaults.",
        )
    # A value may hold others: {served_model_name} in another one, say.
    text = template
    for _ in range(3):
        text = _PLACE.sub(lambda found: _text(values.get(found[1], found[0])), text)
    try:
        return shlex.split(text.replace("\\\n", " "))
    except ValueError as error:
        raise UsageError(f"{name}: its command is no command: {error}", remedy="Mend it.") from None


def _from_defaults(model: str, defaults: Mapping[str, Any], values: Mapping[str, Any]) -> list[str]:
    words = ["vllm", "serve", model, "--host", str(values["host"]), "--port", str(values["port"])]
    for key, value in defaults.items():
        flag = FLAGS.get(key, str(key).replace("_", "-"))
        if key in _NOT_FLAGS or value is None:
            continue
        if value is True:
            words.append(f"--{flag}")
        elif value is False:
            words += [f"--no-{flag}"] if key in ON_BY_ITSELF else []
        else:
            words += [f"--{flag}", _text(value)]
    return words


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


def _limits(given: list[Any]) -> dict[str, str]:
    return dict(str(one).partition("=")[::2] for one in given)
