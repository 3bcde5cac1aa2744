"""How often a gateway's own settings explain that it asks one group. Pure.

Retries, orders, failover inside the group and retries of the client library multiply each other.
Which setting counts depends on the error: LiteLLM goes by the class that it makes of it, and of
some statuses it may make several, so the most generous of those counts.

Source: LiteLLM 1.106.2, ``Router.async_function_with_retries``, ``should_retry_this_error``,
``get_retry_from_policy`` and ``_maybe_run_weighted_failover``; tries counted at the wire for 81
faults (table in the facts about LiteLLM).
"""

from collections.abc import Collection, Mapping

from chaos.gateway.topology import ModelGroup, Topology

LITELLM_RETRIES = 2
"""Retries where the gateway names none. Source: ``openai.DEFAULT_MAX_RETRIES``, LiteLLM 1.106.2."""

FINAL = frozenset({400, 402, 404, 413, 422})
"""Statuses that LiteLLM tries once, unless a retry policy says otherwise."""

_POLICIES: Mapping[int, tuple[str, ...]] = {
    400: ("BadRequest", "ContentPolicyViolation", "Authentication"),
    401: ("Authentication", "BadRequest"),
    403: ("Authentication", "BadRequest"),
    404: ("NotFound",),
    408: ("Timeout",),
    413: ("BadRequest",),
    422: ("BadRequest",),
    429: ("RateLimit",),
    500: ("InternalServer", "ServiceUnavailable", "Timeout"),
}
"""Whose entries of a retry policy may count for a status; 500 stands for every 5xx."""


def attempts_allowed(
    group: ModelGroup, topology: Topology, statuses: Collection[int] | None = None
) -> int:
    """Count the attempts that the gateway's own settings explain at one group.

    Args:
        statuses: Those with which the group's deployments fail, 408 for silence and 500 for a
            broken connection; None if that is not known.
    """
    possible: Collection[int | None] = statuses or (None, *_POLICIES)
    return max(_tries(group, topology, status) for status in possible) * _rounds(group, topology)


def _tries(group: ModelGroup, topology: Topology, status: int | None) -> int:
    """Count one try, its retries, and those of the client library below each."""
    settings = topology.settings
    policy = settings.group_retry_policies.get(group.name, settings.retry_policy)
    named = _POLICIES.get(500 if status is not None and status >= 500 else status or 0, ())
    asked = [policy.get(f"{name}ErrorRetries", policy.get("DefaultRetries")) for name in named]
    asked = asked or [policy.get("DefaultRetries")]
    own = [d.num_retries for d in group.deployments if d.num_retries is not None]
    general = settings.num_retries if settings.num_retries is not None else LITELLM_RETRIES
    plain = 0 if status in FINAL else max([general, *own])
    retries = max(plain if number is None else number for number in asked)
    again = max((d.max_retries or 0 for d in group.deployments), default=0)
    return (1 + retries) * (1 if status in FINAL else 1 + again)


def _rounds(group: ModelGroup, topology: Topology) -> int:
    """Count how often the group is gone through: per order, or per failed deployment.

    A redirected deployment has an id that is none of the group's, so LiteLLM believes that one
    more is left than there is.
    """
    if group.ordered:
        return len({d.order for d in group.deployments if d.order is not None})
    return len(group.deployments) + 1 if topology.settings.enable_weighted_failover else 1
