"""Health checks that decide where requests go."""

from collections.abc import Iterable, Sequence

from supervisor.audit.finding import Audited, AuditFinding

ROUTING = "enable_health_check_routing"
IGNORING = "health_check_ignore_transient_errors"
SECTIONS = ("general_settings", "router_settings")


def health_check_routing_on(audited: Audited) -> Iterable[AuditFinding]:
    """A health check that is wrong takes a good deployment out of service.

    A check is a request of its own: it fails where a model refuses so short a request, where its
    rate is limited, or where it is slower than a check may be. Only the configuration file shows
    this setting.
    Source: LiteLLM 1.106.2, ``_async_filter_health_check_unhealthy_deployments``.
    """
    on = [section for section in SECTIONS if audited.section(section).get(ROUTING) is True]
    if not on or audited.section("general_settings").get("background_health_checks") is not True:
        return
    several = [name for name, group in audited.groups.items() if len(group.deployments) > 1]
    ignores = any(audited.section(section).get(IGNORING) is True for section in SECTIONS)
    what = (
        "a check that is wrong takes a good deployment out of service"
        if several
        else "a check that is wrong makes LiteLLM cool a good deployment down"
    )
    yield AuditFinding(
        code="health_check_routing_on",
        severity="warning" if several and not ignores else "info",
        subject=f"{on[0]}.{ROUTING}",
        message=f"background health checks decide where requests go: {what}"
        + (", though not by a status of 408 or 429" if ignores else ""),
        remedy=_remedy(on, ignores=ignores),
        groups=tuple(several),
        config={section: {ROUTING: False} for section in on},
    )


def _remedy(sections: Sequence[str], *, ignores: bool) -> str:
    lines = [f"{section}:\n  {ROUTING}: false" for section in sections]
    if not ignores:
        lines.append(f"or ignore errors that pass: set general_settings.{IGNORING} to true")
    return "\n".join(["Switch it off, so that only real requests cool a deployment down:", *lines])
