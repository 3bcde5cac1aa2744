"""Whether a drill may be redirected, and whether others may be too."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from chaos.drill.injectors.redirect import version_objection
from chaos.gateway.redirect_permission import permission_lines, permits
from supervisor.audit.advice import deployment_config
from supervisor.audit.finding import Audited, AuditFinding, quoted

FOREIGN = ("http://attacker.example/lane/0", "https://attacker.example/")


def redirect_unavailable(audited: Audited) -> Iterable[AuditFinding]:
    """A group can be drilled only by a twin: it has no permission, or LiteLLM is too old."""
    objection = version_objection(audited.topology.litellm_version)
    if objection is not None:
        yield AuditFinding(
            code="redirect_unavailable",
            severity="info",
            subject="litellm",
            message=objection.reason,
            remedy=objection.remedy,
        )
        return
    if not audited.witness_urls:
        return
    for name, group in audited.groups.items():
        patterns = [d.redirect_permission for d in group.deployments]
        if name in audited.open_groups or not _drilled(audited, name):
            continue
        if any(permits(p, audited.witness_urls) for p in patterns):
            continue
        written = sorted({p for p in patterns if p is not None})
        seen = f"{quoted(written)} does not cover it" if written else "there is no permission"
        url = next(iter(audited.witness_urls), "")
        yield AuditFinding(
            code="redirect_unavailable",
            severity="info",
            subject=name,
            message=f"drills of {name!r} cannot be redirected to the witness at {url}: {seen}",
            remedy=_lines(audited),
            config=_permission(audited, name),
            cause=seen,
        )


def redirect_permission_partial(audited: Audited) -> Iterable[AuditFinding]:
    """Only some deployments of a group permit redirects, and LiteLLM reads only the last one.

    Source: LiteLLM 1.106.2, run; a refused redirect is a 500 with a traceback in its log.
    """
    for name, group in audited.groups.items():
        allowed = [permits(d.redirect_permission, audited.witness_urls) for d in group.deployments]
        if any(allowed) and not all(allowed):
            yield AuditFinding(
                code="redirect_permission_partial",
                severity="warning",
                subject=name,
                message=f"only {sum(allowed)} of {len(allowed)} deployments of {name!r} may be "
                "redirected to the witness, and LiteLLM reads only the last one's permission",
                remedy=_lines(audited),
                config=_permission(audited, name),
            )


def redirect_permission_too_wide(audited: Audited) -> Iterable[AuditFinding]:
    """A permission lets any client send a group's keys and prompts elsewhere."""
    general = audited.section("general_settings")
    if general.get("allow_client_side_credentials") is True:
        yield AuditFinding(
            code="redirect_permission_too_wide",
            severity="error",
            subject="general_settings.allow_client_side_credentials",
            message="general_settings.allow_client_side_credentials lets every client send every "
            "group's requests, with the gateway's own keys, to any address",
            remedy=f"Remove it. {_lines(audited)}",
            config={"general_settings": {"allow_client_side_credentials": False}},
        )
    for name in sorted(audited.open_groups):
        yield AuditFinding(
            code="redirect_permission_too_wide",
            severity="error",
            subject=name,
            message=f"{name!r} may be redirected to any address: any client can have the group's "
            "key sent there",
            remedy=_lines(audited),
            config=_permission(audited, name),
        )
    for name, group in audited.topology.groups.items():
        for pattern in dict.fromkeys(d.redirect_permission for d in group.deployments):
            if pattern is None:
                continue
            foreign = next((url for url in FOREIGN if permits(pattern, [url])), None)
            taken = foreign or next(_taken(pattern, audited.witness_urls), None)
            if taken is None:
                continue
            yield AuditFinding(
                code="redirect_permission_too_wide",
                severity="error" if foreign else "warning",
                subject=name,
                message=f"the permission {pattern!r} of {name!r} also takes {taken!r}"
                + (": any client can have the group's key sent there" if foreign else ""),
                remedy=_lines(audited),
                config=_permission(audited, name),
            )


def _taken(pattern: str, lanes: tuple[str, ...]) -> Iterator[str]:
    """Try what is not a lane and looks like one."""
    for lane in lanes[:1]:
        base, _, _ = lane.rpartition("/")
        host = base.split("//", 1)[-1].split("/", 1)[0].rsplit(":", 1)[0]
        spoilt = base.replace(host, host.replace(".", "x"))
        for url in (
            f"{base}/{len(lanes)}",
            f"{lane}0",
            f"{lane}\n",
            f"{lane}/../../elsewhere",
            f"{lane}.attacker.example",
            *([f"{spoilt}/0"] if spoilt != base else []),
        ):
            if permits(pattern, [url]):
                yield url


def _drilled(audited: Audited, name: str) -> bool:
    """Whoever is only somebody's last resort is reached by the first group's permission."""
    return name not in audited.targets or bool(audited.topology.chain(name).fallbacks)


def _lines(audited: Audited) -> str:
    return (
        "Write into litellm_params of every deployment:\n"
        + permission_lines(audited.witness_urls)
        + "\nor drill a twin: --injector twin --litellm-config FILE"
    )


def _permission(audited: Audited, group: str) -> Mapping[str, Any]:
    params = yaml.safe_load(permission_lines(audited.witness_urls))
    return deployment_config(group, litellm_params=params)
