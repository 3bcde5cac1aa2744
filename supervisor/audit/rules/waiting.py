"""Settings that make callers wait long before a fallback is tried."""

from collections.abc import Iterable

from supervisor.audit.advice import setting_advice
from supervisor.audit.finding import Audited, AuditFinding

LONGEST_S = 600.0
"""What nobody waits for; LiteLLM's own default is 6000."""


def no_timeout(audited: Audited) -> Iterable[AuditFinding]:
    """No timeout is set, so a provider that hangs is never given up on.

    Source: LiteLLM 1.106.2, run: without a timeout it waits 6000 seconds.
    """
    timeout_s = audited.topology.settings.timeout_s
    if timeout_s is not None and timeout_s < LONGEST_S:
        return
    groups = [
        name
        for name, group in audited.groups.items()
        if audited.topology.chain(name).fallbacks
        and any(d.timeout_s is None or d.timeout_s >= LONGEST_S for d in group.deployments)
    ]
    advice = setting_advice("router_settings", "timeout", 60)
    if groups:
        yield AuditFinding(
            code="no_timeout",
            severity="warning",
            subject="router_settings.timeout",
            message="a provider that hangs is waited for up to "
            f"{timeout_s or 6000:g} seconds before a fallback is tried",
            remedy=advice.text,
            config=advice.config,
            groups=tuple(groups),
        )


def retries_delay_fallback(audited: Audited) -> Iterable[AuditFinding]:
    """A failing provider is retried before its fallback is tried.

    Source: LiteLLM 1.106.2, run: by default three attempts, 5 to 8 seconds, and 62 to 64 seconds
    where the provider says ``retry-after: 20``.
    """
    settings = audited.topology.settings
    retries = settings.num_retries
    chained = [name for name in audited.groups if audited.topology.chain(name).fallbacks]
    if retries == 0 or not chained:
        return
    mended = settings.retry_policy.get("RateLimitErrorRetries") == 0
    advice = setting_advice("router_settings", "num_retries", 0)
    yield AuditFinding(
        code="retries_delay_fallback",
        severity="info" if mended else "warning",
        subject="router_settings.num_retries",
        message=f"a failing provider is tried {3 if retries is None else retries + 1} times before "
        "a fallback is: callers wait 5 to 8 seconds, after 'retry-after: 20' over 60",
        remedy=advice.text,
        config=advice.config,
        groups=tuple(chained),
    )
