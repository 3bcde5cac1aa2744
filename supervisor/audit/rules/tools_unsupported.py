"""Hops that cannot call tools behind groups that can."""

from collections.abc import Iterable

from chaos.gateway.topology import ModelGroup
from supervisor.audit.finding import Audited, AuditFinding, quoted


def tools_unsupported(audited: Audited) -> Iterable[AuditFinding]:
    """A hop of a chain does not support tools, according to the gateway."""
    topology = audited.topology
    for name, group in audited.groups.items():
        if group.embeds or _refuses_tools(group):
            continue
        hops = [
            hop
            for hop in topology.chain(name).fallbacks
            if hop in topology.groups and _refuses_tools(topology.groups[hop])
        ]
        if hops:
            yield AuditFinding(
                code="tools_unsupported",
                severity="warning",
                subject=name,
                message=f"{quoted(hops)} in the chain of {name!r} cannot call tools: "
                "supports_function_calling is false",
                remedy="Fall back to a model that calls tools, or, if it does, say so in its "
                "deployment:\nmodel_info:\n  supports_function_calling: true",
            )


def _refuses_tools(group: ModelGroup) -> bool:
    return any(deployment.supports_tools is False for deployment in group.deployments)
