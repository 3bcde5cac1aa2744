"""A release of LiteLLM that carried malware."""

from collections.abc import Iterable

from chaos.gateway.releases import LITELLM_VERSION, compromised
from supervisor.audit.finding import Audited, AuditFinding


def gateway_version_compromised(audited: Audited) -> Iterable[AuditFinding]:
    """The gateway runs a release that is known to have carried malware."""
    version = audited.topology.litellm_version
    known = compromised(version)
    if known is not None:
        yield AuditFinding(
            code="gateway_version_compromised",
            severity="error",
            subject=f"litellm {version}",
            message=f"the gateway runs LiteLLM {version}, a release that nobody should run: "
            f"{known}",
            remedy="Take the machine off the network and exchange every key that it had: those of "
            "providers, of the cloud, SSH keys, tokens. Look for site-packages/litellm_init.pth "
            "and for services that nobody has installed. Set the gateway up anew, best on "
            f"another machine, with a version such as {LITELLM_VERSION}; empty pip's cache and "
            "your own mirrors.",
        )
