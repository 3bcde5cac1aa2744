"""A gateway that serves nothing."""

from collections.abc import Iterable

from supervisor.audit.finding import Audited, AuditFinding


def no_models(audited: Audited) -> Iterable[AuditFinding]:
    """The gateway has no models, or shows none to the key that asks."""
    topology = audited.topology
    if topology.groups or topology.other_names:
        return
    yield AuditFinding(
        code="no_models",
        severity="error",
        subject="model_list",
        message="the gateway lists no models: every request to it fails, or the key may see none",
        remedy="Start LiteLLM with the configuration that has a model_list, and ask with a key "
        "that may see every model: --admin-key-env or --admin-key-file.",
    )
