"""Hops that cannot call tools behind groups that can."""

from collections.abc import Iterable
from typing import Any

from chaos.gateway.topology import ModelGroup
from supervisor.audit.advice import deployment_config
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
                config={"model_list": [row for hop in hops for row in _calls_tools(hop)]},
            )


def _calls_tools(hop: str) -> list[Any]:
    info = {"supports_function_calling": True}
    return list(deployment_config(hop, model_info=info)["model_list"])


def _refuses_tools(group: ModelGroup) -> bool:
    return any(deployment.supports_tools is False for deployment in group.deployments)
