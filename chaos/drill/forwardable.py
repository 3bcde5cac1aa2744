"""Whether a hop that must be asked for real can be: its address is known, or it is not."""

from chaos.drill.injector import Objection
from chaos.gateway.topology import ModelGroup
from chaos.protocol.dialects import DEFAULT_BASES, LOCAL_BASES


def address_objection(group: ModelGroup) -> Objection | None:
    """Object to a group of which one deployment's address is unknown, or unknown here."""
    for deployment in group.deployments:
        if deployment.base_url is None:
            return Objection(
                f"the real address of hop {group.name!r} is not known: LiteLLM's answer names no "
                "api_base, and its environment or a credential may set one",
                _naming(group.name, deployment.provider, local=deployment.local),
            )
        if not deployment.resolves:
            return Objection(
                f"hop {group.name!r} is at {deployment.base_url}, whose host has no address on "
                "this machine",
                f"Say where this machine reaches it: --engine {group.name}=http://HOST:PORT, or "
                f"engines: {{{group.name}: URL}} in the configuration file.",
            )
    return None


def _naming(group: str, provider: str, *, local: bool) -> str:
    if local:
        usual = LOCAL_BASES.get(provider, "http://HOST:PORT")
        return (
            f"Name it: --engine {group}={usual}, or engines: {{{group}: URL}} in the "
            "configuration file."
        )
    usual = DEFAULT_BASES.get(provider, "https://…")
    return (
        f"If it is the public one, name it in the configuration file: providers: {{{provider}: "
        f'"{usual}"}}. Without --real-keys a stand-in answers.'
    )
