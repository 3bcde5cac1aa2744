"""Rewrite a LiteLLM configuration for a twin: the same routing, with the witness for upstreams.

Pure. Kept is what decides how a request is routed and changed; left out, and listed, is what
reaches outside: databases, caches, alerting, loggers, credentials.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chaos.conversation import Json
from chaos.errors import UsageError

OUTWARD_SETTINGS = (
    "cache",
    "cache_params",
    "success_callback",
    "failure_callback",
    "service_callback",
    "audit_log_callbacks",
    "database_url",
    "redis_host",
    "redis_port",
    "redis_password",
    "redis_url",
)
"""Keys of ``litellm_settings`` and ``router_settings`` that reach other systems."""

KEPT_GENERAL_SETTINGS = ("forward_client_headers_to_llm_api", "max_request_size_mb")
"""Keys of ``general_settings`` that change requests; the others are access and operations."""

CREDENTIALS = (
    "api_key",
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "aws_profile_name",
    "aws_role_name",
    "aws_session_name",
    "vertex_credentials",
    "azure_ad_token",
    "tenant_id",
    "client_id",
    "client_secret",
)
"""Keys of ``litellm_params`` that carry or fetch a credential."""

ENVIRONMENT = "os.environ/"


@dataclass(frozen=True, slots=True)
class TwinDeployment:
    """One deployment of the configuration, and where the twin finds it.

    Attributes:
        id: ``model_info.id`` in the twin.
        original: The entry of ``model_list`` as the user wrote it, environment resolved.
    """

    id: str
    index: int
    original: Json


@dataclass(frozen=True, slots=True)
class TwinConfig:
    """A twin's configuration.

    Attributes:
        stripped: What was left out, as ``section.key``; sorted.
        environment: Variables that real keys need; empty with canary keys.
    """

    config: dict[str, Any]
    deployments: tuple[TwinDeployment, ...]
    stripped: tuple[str, ...]
    environment: Mapping[str, str]


def rewrite(
    raw: Json,
    *,
    base_url: Callable[[int], str],
    canary: str,
    variables: Mapping[str, str],
    real_keys: bool = False,
) -> TwinConfig:
    """Rewrite the user's configuration *raw*.

    Args:
        base_url: Names the witness's address for the deployment at an index.
        variables: The environment in which ``os.environ/NAME`` is looked up.
        real_keys: Keep the credentials, for hops that may be called for real.

    Raises:
        UsageError: There is no list of models.
    """
    models = raw.get("model_list")
    if not isinstance(models, list) or not models:
        raise UsageError(
            "the configuration for the twin has no model_list",
            remedy="Give --litellm-config the file that the gateway was started with.",
        )
    stripped: list[str] = []
    used: dict[str, str] = {}
    entries, deployments = [], []
    for index, entry in enumerate(models):
        original = _resolved(entry, variables)
        identity = str((entry.get("model_info") or {}).get("id") or f"twin-{index}")
        params = {k: v for k, v in (entry.get("litellm_params") or {}).items() if v is not None}
        if real_keys:
            used.update(_named(params, variables))
        else:
            params = {k: v for k, v in params.items() if k not in CREDENTIALS}
            params["api_key"] = canary
        params["api_base"] = base_url(index)
        params.pop("aws_bedrock_runtime_endpoint", None)
        info = {**(entry.get("model_info") or {}), "id": identity}
        entries.append({**entry, "litellm_params": params, "model_info": info})
        deployments.append(TwinDeployment(identity, index, original))
    config: dict[str, Any] = {
        "model_list": entries,
        "litellm_settings": _litellm_settings(raw.get("litellm_settings") or {}, stripped),
        "router_settings": {
            **_without(raw.get("router_settings") or {}, "router_settings", stripped),
            # One drill must not poison the next.
            "disable_cooldowns": True,
        },
        "general_settings": _general_settings(raw.get("general_settings") or {}, stripped),
    }
    if "guardrails" in raw:
        config["guardrails"] = raw["guardrails"]
    known = {*config, "model_list", "include"}
    stripped += [name for name in raw if name not in known]
    return TwinConfig(config, tuple(deployments), tuple(sorted(stripped)), used)


def _litellm_settings(settings: Json, stripped: list[str]) -> dict[str, Any]:
    kept = _without(settings, "litellm_settings", stripped)
    callbacks = kept.pop("callbacks", None)
    if callbacks:
        listed = [callbacks] if isinstance(callbacks, str) else list(callbacks)
        # A name with a dot is the user's own code, which may change requests; the others are
        # LiteLLM's integrations, which only log.
        own = [name for name in listed if "." in str(name)]
        stripped += [f"litellm_settings.callbacks: {n}" for n in listed if n not in own]
        if own:
            kept["callbacks"] = own
    return kept


def _general_settings(settings: Json, stripped: list[str]) -> dict[str, Any]:
    kept = {name: settings[name] for name in KEPT_GENERAL_SETTINGS if name in settings}
    stripped += [
        f"general_settings.{name}" for name in settings if name not in kept and name != "master_key"
    ]
    # Otherwise LiteLLM asks every upstream for its models now and then, with the real key.
    return {**kept, "disable_model_info_refresh": True}


def _without(settings: Json, section: str, stripped: list[str]) -> dict[str, Any]:
    stripped += [f"{section}.{name}" for name in settings if name in OUTWARD_SETTINGS]
    return {name: value for name, value in settings.items() if name not in OUTWARD_SETTINGS}


def _resolved(value: Any, variables: Mapping[str, str]) -> Any:
    """Look up ``os.environ/NAME``; what is not set stays as it is written."""
    if isinstance(value, Mapping):
        return {key: _resolved(inner, variables) for key, inner in value.items()}
    if isinstance(value, str) and value.startswith(ENVIRONMENT):
        return variables.get(value.removeprefix(ENVIRONMENT), value)
    return value


def _named(params: Json, variables: Mapping[str, str]) -> dict[str, str]:
    names = [
        value.removeprefix(ENVIRONMENT)
        for value in params.values()
        if isinstance(value, str) and value.startswith(ENVIRONMENT)
    ]
    return {name: variables[name] for name in names if name in variables}
