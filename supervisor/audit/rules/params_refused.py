"""Fallbacks that do not take what the clients of their groups send."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from chaos.gateway.parameter_drops import drops_for
from chaos.gateway.topology import Deployment
from chaos.gateway.topology_reader import flag
from chaos.traffic.client import Client
from chaos.traffic.clients import CLIENTS
from supervisor.audit.advice import deployment_config
from supervisor.audit.finding import Audited, AuditFinding, quoted

TRANSLATED: Mapping[str, Mapping[str, str]] = {
    "chat_completions": {
        name: name for name in ("reasoning_effort", "thinking", "verbosity", "parallel_tool_calls")
    },
    "messages": {"thinking": "reasoning_effort", "context_management": "context_management"},
    "responses": {"reasoning": "reasoning_effort", "parallel_tool_calls": "parallel_tool_calls"},
}
"""As what LiteLLM checks a parameter of each surface; others it sends on, or never refuses.

Source: LiteLLM 1.82.6 and 1.106.2, run.
"""

AS_THEY_ARE = frozenset({("messages", "anthropic"), ("messages", "openai")})
"""Surfaces that a provider gets without that check."""

UNSEEN = (
    " Unless litellm_settings.drop_params is on: only LiteLLM's own file shows that, give it with "
    "--litellm-config."
)


def params_refused(audited: Audited) -> Iterable[AuditFinding]:
    """A fallback refuses parameters that clients send, and LiteLLM does not drop them.

    Source: LiteLLM 1.106.2, run: UnsupportedParamsError, before the fallback is asked.
    """
    everywhere = _dropped_everywhere(audited)
    if everywhere:
        return
    for name, clients in audited.clients.items():
        refused = {
            hop: found
            for hop in audited.topology.chain(name).fallbacks
            if (found := dict(_refused(audited, name, hop, clients)))
        }
        if not refused:
            continue
        said = "; ".join(f"{hop!r} refuses {_said(found)}" for hop, found in refused.items())
        yield AuditFinding(
            code="params_refused",
            severity="info" if everywhere is None else "warning",
            subject=name,
            message=f"{said}: LiteLLM ends such a request before it asks the fallback."
            f"{UNSEEN if everywhere is None else ''}",
            remedy=f"Write into each deployment of {quoted(refused)}, or once under "
            "litellm_settings:\nlitellm_params:\n  drop_params: true",
            config={"model_list": [row for hop in refused for row in _drops(hop)]},
        )


def _drops(hop: str) -> list[Any]:
    return list(deployment_config(hop, litellm_params={"drop_params": True})["model_list"])


def _dropped_everywhere(audited: Audited) -> bool | None:
    """Tell whether ``litellm_settings.drop_params`` is on; None where that cannot be seen."""
    if audited.config is None:
        return None
    settings = audited.section("litellm_settings")
    return flag(settings["drop_params"]) if "drop_params" in settings else False


def _refused(
    audited: Audited, model: str, hop: str, clients: Iterable[str]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """List what *hop* refuses of each client that asks for *model*."""
    group = audited.topology.find(hop)
    for name in clients:
        client = CLIENTS[name]
        if _sees_to_it(client, audited.topology.litellm_version):
            continue
        deployments = group.deployments if group is not None else ()
        found = [
            p for p in _checked(client, model) if any(_refuses(d, client, p) for d in deployments)
        ]
        if found:
            yield name, tuple(found)


def _sees_to_it(client: Client, version: str) -> bool:
    """Tell whether what is not taken is dropped for this client anyway."""
    own = client.asks[client.usual_surface].get("drop_params")
    return (own is not None and own.value is True) or drops_for(client.user_agent, version)


def _checked(client: Client, model: str) -> tuple[str, ...]:
    names = TRANSLATED.get(client.usual_surface, {})
    sent = client.parameters_for(client.usual_surface, "", model)
    return tuple(names[name] for name in sent if name in names)


def _refuses(deployment: Deployment, client: Client, parameter: str) -> bool:
    if deployment.supported_params is None or deployment.drop_params:
        return False
    if (client.usual_surface, deployment.provider) in AS_THEY_ARE:
        return False
    taken = (*deployment.supported_params, *deployment.allowed_params, *deployment.dropped_params)
    return parameter not in taken


def _said(found: Mapping[str, tuple[str, ...]]) -> str:
    return " and ".join(f"{', '.join(params)} of {client}" for client, params in found.items())
