"""Rewrite a LiteLLM configuration for a twin: the same routing, with the witness for upstreams.

Pure. Kept is what decides how a request is routed and changed; left out, and listed, is what
reaches outside: databases, caches, alerting, loggers, credentials.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chaos.drill.twin.google_sign_in import PROVIDERS
from chaos.errors import UsageError
from chaos.protocol.conversation import Json

OUTWARD_SETTINGS = (
    "cache",
    "cache_params",
    "success_callback",
    "failure_callback",
    "service_callback",
    "audit_log_callbacks",
    "default_team_settings",
)
"""Keys of ``litellm_settings`` that reach other systems."""

KEPT_ROUTER_SETTINGS = frozenset(
    {
        "allowed_fails",
        "allowed_fails_policy",
        "auto_router_capability_limit",
        "client_ttl",
        "content_policy_fallbacks",
        "context_window_fallbacks",
        "cooldown_time",
        "default_fallbacks",
        "default_litellm_params",
        "default_max_parallel_requests",
        "default_priority",
        "deployment_affinity_ttl_seconds",
        "disable_cooldowns",
        "enable_pre_call_checks",
        "enable_tag_filtering",
        "enable_weighted_failover",
        "fallback_access_check",
        "fallback_budget_check",
        "fallbacks",
        "ignore_invalid_deployments",
        "max_fallbacks",
        "model_group_affinity_config",
        "model_group_alias",
        "model_group_retry_policy",
        "num_retries",
        "optional_pre_call_checks",
        "plugins",
        "retry_after",
        "retry_policy",
        "routing_groups",
        "routing_strategy",
        "routing_strategy_args",
        "stream_timeout",
        "tag_filtering_match_any",
        "tag_routing_prefix",
        "timeout",
    }
)
"""Keys of ``router_settings`` that route and change requests; the others reach other systems.

Source: arguments of LiteLLM 1.106.2's ``Router``.
"""

CALLBACKS = ("callbacks", "input_callback")
"""Lists of callbacks that see a request before it is sent."""

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
    cooldowns: bool = False,
    caller_settings: Mapping[str, Any] | None = None,
    google: str = "",
) -> TwinConfig:
    """Rewrite the user's configuration *raw*.

    Args:
        base_url: Names the witness's address for the deployment at an index.
        variables: The environment in which ``os.environ/NAME`` is looked up.
        google: Credentials with which Vertex AI hops sign in where a stand-in answers; their own
            are never kept, because what is signed in for Google cannot be passed on.
        real_keys: Keep the credentials, for hops that may be called for real.
        cooldowns: Leave the router's cooldowns as they are, because they are what is drilled.
        caller_settings: ``router_settings`` of a virtual key, which count in the place of the
            file's, one by one.

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
        if google and str(params.get("model", "")).partition("/")[0] in PROVIDERS:
            params["vertex_credentials"] = google
            params.setdefault("vertex_project", "understudy")
            # It would put the project before the operation, and the address's own path away.
            params.pop("use_psc_endpoint_format", None)
        # LiteLLM prefers it to api_base, and a credential's values to neither: both would lead past
        # the witness.
        params.pop("base_url", None)
        params.pop("litellm_credential_name", None)
        params.pop("aws_bedrock_runtime_endpoint", None)
        info = {**(entry.get("model_info") or {}), "id": identity}
        entries.append({**entry, "litellm_params": params, "model_info": info})
        deployments.append(TwinDeployment(identity, index, original))
    own = dict(caller_settings or {})
    # The list of a key has the place of the default fallbacks too.
    replaced = {*own, *(("default_fallbacks",) if "fallbacks" in own else ())}
    litellm_settings = _litellm_settings(raw.get("litellm_settings") or {}, stripped)
    router = _router_settings(raw.get("router_settings") or {}, stripped, real_keys=real_keys)
    config: dict[str, Any] = {
        "model_list": entries,
        "litellm_settings": {k: v for k, v in litellm_settings.items() if k not in replaced},
        "router_settings": {
            **{name: value for name, value in router.items() if name not in replaced},
            **own,
            # One drill must not poison the next.
            **({} if cooldowns else {"disable_cooldowns": True}),
        },
        "general_settings": _general_settings(raw.get("general_settings") or {}, stripped),
    }
    if "guardrails" in raw:
        config["guardrails"] = raw["guardrails"]
    known = {*config, "model_list", "include"}
    stripped += [name for name in raw if name not in known]
    return TwinConfig(config, tuple(deployments), tuple(sorted(stripped)), used)


def _litellm_settings(settings: Json, stripped: list[str]) -> dict[str, Any]:
    stripped += [f"litellm_settings.{name}" for name in settings if name in OUTWARD_SETTINGS]
    kept = {name: value for name, value in settings.items() if name not in OUTWARD_SETTINGS}
    for setting in CALLBACKS:
        callbacks = kept.pop(setting, None) or ()
        listed = [callbacks] if isinstance(callbacks, str) else list(callbacks)
        # A name with a dot is the user's own code, which may change requests; the others are
        # LiteLLM's integrations, which only log.
        own = [name for name in listed if "." in str(name)]
        stripped += [f"litellm_settings.{setting}: {n}" for n in listed if n not in own]
        if own:
            kept[setting] = own
    return kept


def _router_settings(settings: Json, stripped: list[str], *, real_keys: bool) -> dict[str, Any]:
    kept = {name: value for name, value in settings.items() if name in KEPT_ROUTER_SETTINGS}
    stripped += [f"router_settings.{name}" for name in settings if name not in kept]
    defaults = kept.get("default_litellm_params")
    if isinstance(defaults, Mapping):
        dropped = {"api_base", "base_url", *(() if real_keys else CREDENTIALS)}
        kept["default_litellm_params"] = {k: v for k, v in defaults.items() if k not in dropped}
        stripped += [
            f"router_settings.default_litellm_params.{k}" for k in defaults if k in dropped
        ]
    return kept


def _general_settings(settings: Json, stripped: list[str]) -> dict[str, Any]:
    kept = {name: settings[name] for name in KEPT_GENERAL_SETTINGS if name in settings}
    stripped += [
        f"general_settings.{name}" for name in settings if name not in kept and name != "master_key"
    ]
    # Otherwise LiteLLM asks every upstream for its models now and then, with the real key.
    return {**kept, "disable_model_info_refresh": True}


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
