"""Turn the gateway's own answers into a ``Topology``. Pure; asking is ``chaos.gateway.client``'s.

Null means unknown, never no. Source of every shape here: recorded from LiteLLM 1.106.2.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, overload

from chaos.gateway.chain_order import Fallbacks, attempt_order
from chaos.gateway.locality import Locality
from chaos.gateway.topology import (
    Chain,
    Deployment,
    ModelGroup,
    RouterSettings,
    Topology,
    Trigger,
)
from chaos.gateway.virtual_key import VirtualKey
from chaos.gateway.wildcards import STAR, Standing, name_and_id, read_wildcards
from chaos.protocol.conversation import Json
from chaos.protocol.dialects import dialect_of, upstream_model

MAX_FALLBACKS = 5
"""Where the gateway names none. Source: ``ROUTER_MAX_FALLBACKS``, LiteLLM 1.106.2."""

MOST_DIGITS = 15
MOST = 10.0**MOST_DIGITS
"""No setting is as large; what is larger says nothing."""


@dataclass(frozen=True, slots=True)
class GatewayAnswers:
    """What the gateway said, endpoint by endpoint.

    Attributes:
        models: ``data`` of ``/model/info``.
        router: ``router_settings`` of ``/get/config/callbacks``: what is loaded.
        file: ``current_values`` of ``/router/settings``: what the file says.
    """

    version: str
    models: Sequence[Json]
    router: Json
    file: Json = field(default_factory=dict)


def read_topology(
    answers: GatewayAnswers,
    *,
    locality: Locality | None = None,
    default_bases: Mapping[str, str] | None = None,
    wildcards: Mapping[str, str] | None = None,
) -> Topology:
    """Read everything that a drill needs to know of a gateway.

    Args:
        locality: What is known about where upstreams are.
        default_bases: Real base URLs of providers, by prefix, as the user names them.
        wildcards: Models that stand for wildcards, by pattern, as the user names them.
    """
    aliases = _aliases(answers.router)
    lists = _lists(answers.router, answers.file)
    standing = read_wildcards(answers.models, aliases, wildcards or {})
    locality = (locality or Locality()).also_called(standing.models)
    groups, other_names = _groups(standing, aliases, locality, default_bases or {})
    settings = _settings(answers.router, answers.file)
    return Topology(
        litellm_version=answers.version,
        groups=groups,
        chains=tuple(_chains(groups, other_names, aliases, settings, lists)),
        settings=settings,
        file_settings=_settings(answers.file, answers.file) if answers.file else None,
        aliases=aliases,
        hidden_aliases=_hidden(answers.router),
        wildcards=tuple(name for name in groups if STAR in name),
        standing=standing.models,
        other_names=other_names,
    )


def as_asked_by(topology: Topology, key: VirtualKey) -> Topology:
    """Say what the gateway would do for a virtual key.

    A list of fallbacks that the key or its team sets counts in the place of the router's own, for
    every group, also where it is empty. Source: LiteLLM 1.106.2, run.
    """
    own = key.router_settings
    lists = {trigger: own[name] for trigger, name in _LIST_NAMES.items() if name in own}
    was = topology.settings
    retries, timeout_s = _whole(own.get("num_retries")), _number(own.get("timeout"))
    policies = own.get("model_group_retry_policy")
    settings = replace(
        was,
        num_retries=was.num_retries if retries is None else retries,
        timeout_s=was.timeout_s if timeout_s is None else timeout_s,
        group_retry_policies=(
            {str(group): _retry_policy(policy) for group, policy in policies.items()}
            if isinstance(policies, Mapping)
            else was.group_retry_policies
        ),
        enable_tag_filtering=own.get("enable_tag_filtering", was.enable_tag_filtering),
        target_parameters={**was.target_parameters, **_parameters_of(lists)},
    )
    if Trigger.GENERAL in lists:
        general = lists[Trigger.GENERAL]
        settings = replace(
            settings, fallbacks=_entries(general), default_fallbacks=_default(general)
        )
    if Trigger.CONTEXT_WINDOW in lists:
        entries = _entries(lists[Trigger.CONTEXT_WINDOW])
        settings = replace(settings, context_window_fallbacks=entries)
    if Trigger.CONTENT_POLICY in lists:
        entries = _entries(lists[Trigger.CONTENT_POLICY])
        settings = replace(settings, content_policy_fallbacks=entries)
    made = _chains(topology.groups, topology.other_names, topology.aliases, settings, lists)
    kept = (chain for chain in topology.chains if chain.trigger not in lists)
    return replace(topology, chains=(*made, *kept), settings=settings, caller=key)


_LIST_NAMES = {
    Trigger.GENERAL: "fallbacks",
    Trigger.CONTEXT_WINDOW: "context_window_fallbacks",
    Trigger.CONTENT_POLICY: "content_policy_fallbacks",
}


def _groups(
    standing: Standing,
    aliases: Mapping[str, str],
    locality: Locality,
    default_bases: Mapping[str, str],
) -> tuple[dict[str, ModelGroup], dict[str, ModelGroup]]:
    found: dict[str, dict[str, Deployment]] = {}
    other: dict[str, dict[str, Deployment]] = {}
    for row in standing.rows:
        name, identity = name_and_id(row)
        made = read_deployment(row, locality, default_bases)
        own = name not in aliases and (not identity or standing.group_of[identity] == name)
        (found if own else other).setdefault(name, {})[identity] = made
    named = {**_grouped(other), **_grouped(found)}
    return _grouped(found), {**_grouped(other), **dict(_unlisted(aliases, named))}


def _unlisted(
    aliases: Mapping[str, str], named: Mapping[str, ModelGroup]
) -> Iterable[tuple[str, ModelGroup]]:
    """Make the groups of aliases that ``/model/info`` leaves out: hidden ones, and of a wildcard.

    LiteLLM follows an alias once: one of another alias has no deployments.
    Source: ``resolve_model_group_alias``, LiteLLM 1.106.2, and run.
    """
    for alias, target in aliases.items():
        group = named.get(target)
        if alias not in named and group is not None and target not in aliases:
            own = tuple(replace(deployment, group=alias) for deployment in group.deployments)
            yield alias, ModelGroup(alias, own)


def _grouped(found: Mapping[str, Mapping[str, Deployment]]) -> dict[str, ModelGroup]:
    return {name: ModelGroup(name, tuple(made.values())) for name, made in found.items()}


def read_deployment(row: Json, locality: Locality, default_bases: Mapping[str, str]) -> Deployment:
    """Read one row of ``/model/info``."""
    params, info = row.get("litellm_params") or {}, row.get("model_info") or {}
    name, model = str(row.get("model_name", "")), str(params.get("model", ""))
    provider = _provider(row)
    dialect = dialect_of(provider)
    base = base_url_of(row, default_bases)
    permission = params.get("configurable_clientside_auth_params") or ()
    mode = info.get("mode")
    return Deployment(
        id=str(info.get("id", "")),
        group=name,
        litellm_model=model,
        provider=provider,
        dialect=dialect.name if dialect else None,
        upstream_model=upstream_model(provider, model),
        base_url=base,
        local=locality.is_local(name, provider, base),
        resolves=locality.resolves(base),
        redirectable=not params.get("base_url"),
        redirect_permission=_permission(permission),
        mode=mode if isinstance(mode, str) else None,
        max_input_tokens=_whole(info.get("max_input_tokens")),
        max_output_tokens=_whole(info.get("max_output_tokens")),
        input_cost_per_token=_number(info.get("input_cost_per_token")),
        output_cost_per_token=_number(info.get("output_cost_per_token")),
        supports_tools=info.get("supports_function_calling"),
        supports_reasoning=info.get("supports_reasoning"),
        accepts_temperature=_accepts_temperature(model, info),
        accepts_prefill=info.get("supports_assistant_prefill"),
        timeout_s=_number(params.get("timeout")),
        order=_order(params, info),
        num_retries=_digits(params.get("num_retries")),
        max_retries=_digits(params.get("max_retries")),
        own_tools=_own_tools(params),
        thinks=bool(params.get("thinking") or params.get("reasoning_effort")),
        vector_size=_whole(params.get("dimensions")) or _whole(info.get("output_vector_size")),
        supported_params=_supported(row),
        drop_params=flag(params.get("drop_params")),
        dropped_params=_names(params.get("additional_drop_params")) or (),
        allowed_params=_names(params.get("allowed_openai_params")) or (),
    )


def base_url_of(row: Json, default_bases: Mapping[str, str]) -> str | None:
    """Say where a row's requests go; None if that cannot be known from here.

    ``base_url`` wins over ``api_base`` in LiteLLM, and a proxy of the deployment's own over both.
    A provider's public address is not taken for granted: the gateway's environment
    (``OPENAI_BASE_URL``) or a named credential may say another, and neither is shown.

    Args:
        default_bases: The user's word for providers, by prefix.

    Source: LiteLLM 1.106.2, run.
    """
    params = row.get("litellm_params") or {}
    if any("proxy" in name and value for name, value in params.items()):
        return None
    named = params.get("base_url") or params.get("api_base")
    if isinstance(named, str) and named:
        return named
    return None if params.get("litellm_credential_name") else default_bases.get(_provider(row))


def _provider(row: Json) -> str:
    params, info = row.get("litellm_params") or {}, row.get("model_info") or {}
    model = str(params.get("model", ""))
    return model.partition("/")[0] if "/" in model else str(info.get("litellm_provider") or "")


def _order(params: Json, info: Json) -> int | None:
    """Read ``order``, which models added over the API carry in ``model_info``.

    Source: ``get_deployment_order``, LiteLLM 1.106.2.
    """
    order = params.get("order")
    return _whole(info.get("order") if order is None else order)


def _names(value: Any) -> tuple[str, ...] | None:
    """List names in an order of their own; None where there is no list."""
    if not isinstance(value, list):
        return None
    return tuple(sorted({name for name in value if isinstance(name, str)}))


def _supported(row: Json) -> tuple[str, ...] | None:
    """List the parameters that a row's model takes, as LiteLLM will see it.

    LiteLLM lists them for ``openai/gpt-4.1``, a name that is in no catalogue and so may reason;
    it asks for ``gpt-4.1``, which is in it and does not. Source: LiteLLM 1.106.2, run.
    """
    params, info = row.get("litellm_params") or {}, row.get("model_info") or {}
    names = _names(info.get("supported_openai_params"))
    key = info.get("key")
    listed = isinstance(key, str) and key != params.get("model")
    if names is None or _provider(row) != "openai" or not listed or info.get("supports_reasoning"):
        return names
    return tuple(name for name in names if name != "reasoning_effort")


def flag(value: Any) -> bool | None:
    """Read a flag that may be written as a word; None if it is none.

    Source: ``normalize_drop_params``, LiteLLM 1.106.2.
    """
    if isinstance(value, str):
        return _WORDS.get(value.strip().lower())
    return value if isinstance(value, bool) else None


_WORDS = {
    **dict.fromkeys(("true", "1", "yes", "on", "t", "y"), True),
    **dict.fromkeys(("false", "0", "no", "off", "f", "n"), False),
}


def _own_tools(params: Json) -> frozenset[str]:
    """Name the tools of a deployment's ``tools``, also those in its ``extra_body``."""
    extra = params.get("extra_body")
    listed = [params.get("tools"), extra.get("tools") if isinstance(extra, Mapping) else None]
    tools = [t for tools in listed if isinstance(tools, list) for t in tools]
    named = (t.get("function", t) for t in tools if isinstance(t, Mapping))
    return frozenset(str(t.get("name")) for t in named if isinstance(t, Mapping) and t.get("name"))


def _permission(params: Iterable[Any]) -> str | None:
    """Find the pattern for ``api_base``; the bare name permits every address."""
    for param in params:
        if isinstance(param, Mapping) and isinstance(param.get("api_base"), str):
            return str(param["api_base"])
        if param == "api_base":
            return ".*"
    return None


def _accepts_temperature(model: str, info: Json) -> bool | None:
    """Models that reason take only their own temperature; of the others LiteLLM knows."""
    params = info.get("supported_openai_params")
    if not isinstance(params, list):
        return None
    fixed = bool(info.get("supports_reasoning")) or any(
        part in model for part in ("gpt-5", "/o1", "/o3", "/o4")
    )
    return "temperature" in params and not fixed


def _aliases(router: Json) -> dict[str, str]:
    raw = router.get("model_group_alias") or {}
    return {
        alias: str(target.get("model") if isinstance(target, Mapping) else target)
        for alias, target in raw.items()
    }


def _hidden(router: Json) -> frozenset[str]:
    raw = router.get("model_group_alias") or {}
    return frozenset(
        alias
        for alias, target in raw.items()
        if isinstance(target, Mapping) and target.get("hidden") is True
    )


def _settings(router: Json, file: Json) -> RouterSettings:
    return RouterSettings(
        num_retries=_whole(router.get("num_retries")),
        timeout_s=_number(router.get("timeout")),
        allowed_fails=_whole(router.get("allowed_fails")),
        cooldown_time_s=_number(router.get("cooldown_time")),
        max_fallbacks=_whole(file.get("max_fallbacks"), MAX_FALLBACKS),
        retry_policy=_retry_policy(router.get("retry_policy")),
        group_retry_policies={
            str(group): _retry_policy(policy)
            for group, policy in (router.get("model_group_retry_policy") or {}).items()
        },
        fallbacks=_entries(router.get("fallbacks")),
        context_window_fallbacks=_entries(router.get("context_window_fallbacks")),
        content_policy_fallbacks=_entries(file.get("content_policy_fallbacks")),
        default_fallbacks=_default(router.get("fallbacks")),
        target_parameters=_target_parameters(router, file),
        enable_tag_filtering=router.get("enable_tag_filtering"),
        enable_weighted_failover=router.get("enable_weighted_failover") is True,
    )


def _retry_policy(raw: Any) -> dict[str, int]:
    policy = raw if isinstance(raw, Mapping) else {}
    return {name: count for name, count in policy.items() if isinstance(count, int)}


def _entries(raw: Any) -> tuple[Mapping[str, tuple[str, ...]], ...]:
    return tuple(
        {str(group): tuple(_target(t) for t in targets)}
        for entry in raw or ()
        if isinstance(entry, Mapping)
        for group, targets in entry.items()
        if group != "*" and isinstance(targets, list)
    )


def _default(raw: Any) -> tuple[str, ...]:
    stars = [e["*"] for e in raw or () if isinstance(e, Mapping) and isinstance(e.get("*"), list)]
    return tuple(_target(target) for target in stars[-1]) if stars else ()


def _target(target: Any) -> str:
    return str(target.get("model", "")) if isinstance(target, Mapping) else str(target)


def _target_parameters(router: Json, file: Json) -> dict[str, frozenset[str]]:
    """Collect what targets that are objects set besides their model, in any list."""
    return _parameters_of(_lists(router, file))


def _parameters_of(lists: Mapping[Trigger, Fallbacks]) -> dict[str, frozenset[str]]:
    named: dict[str, frozenset[str]] = {}
    for entries in lists.values():
        for entry in entries or ():
            for targets in entry.values() if isinstance(entry, Mapping) else ():
                for target in targets if isinstance(targets, list) else ():
                    if isinstance(target, Mapping):
                        name = _target(target)
                        named[name] = named.get(name, frozenset()) | (target.keys() - {"model"})
    return named


def _lists(router: Json, file: Json) -> Mapping[Trigger, Fallbacks]:
    return {
        Trigger.GENERAL: router.get("fallbacks"),
        Trigger.CONTEXT_WINDOW: router.get("context_window_fallbacks"),
        Trigger.CONTENT_POLICY: file.get("content_policy_fallbacks"),
    }


def _chains(
    groups: Mapping[str, ModelGroup],
    other_names: Mapping[str, ModelGroup],
    aliases: Mapping[str, str],
    settings: RouterSettings,
    lists: Mapping[Trigger, Fallbacks],
) -> Iterable[Chain]:
    # A target may be an alias, or a deployment's model or id: on the wire it is their group.
    group_of = {
        known: name
        for name, group in groups.items()
        for deployment in group.deployments
        for known in (deployment.litellm_model, deployment.id)
    } | dict(aliases)

    there = groups.keys() | (other_names.keys() - aliases.keys())

    def real(order: tuple[str, ...]) -> tuple[str, ...]:
        own, *targets = order
        hops = (hop if hop in there else group_of.get(hop, hop) for hop in targets)
        return tuple(dict.fromkeys((own, *hops)))

    for name in (*groups, *other_names):
        for trigger, entries in lists.items():
            if not entries:
                continue
            order = real(attempt_order(name, entries, max_fallbacks=settings.max_fallbacks))
            whole = real(attempt_order(name, entries, max_fallbacks=10_000))
            known = tuple(hop for hop in order if hop in there or hop == name)
            if len(whole) > 1:
                yield Chain(
                    group=name,
                    trigger=trigger,
                    hops=known,
                    missing=tuple(hop for hop in order if hop not in there and hop != name),
                    cut=tuple(hop for hop in whole if hop not in order),
                    named=() if whole == known else whole,
                )


@overload
def _whole(value: Any) -> int | None: ...
@overload
def _whole(value: Any, default: int) -> int: ...
def _whole(value: Any, default: int | None = None) -> int | None:
    number = _number(value)
    return default if number is None else int(value)


def _digits(value: Any) -> int | None:
    """Take a number that may have come from an environment variable, as LiteLLM does."""
    digits = isinstance(value, str) and value.isdecimal() and len(value) <= MOST_DIGITS
    return int(value) if digits else _whole(value)


def _number(value: Any) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    # JSON has numbers that Python reads as infinite, and whole ones that no float holds.
    return float(value) if abs(value) < MOST else None
