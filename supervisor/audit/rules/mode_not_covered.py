"""Groups whose fallbacks no drill can prove."""

from collections.abc import Iterable

from chaos.scenario.expand import not_covered
from supervisor.audit.finding import Audited, AuditFinding


def mode_not_covered(audited: Audited) -> Iterable[AuditFinding]:
    """A group listens, speaks, paints, ranks or moderates: no drill asks for that."""
    for name, mode in not_covered(audited.topology).items():
        yield AuditFinding(
            code="mode_not_covered",
            severity="info",
            subject=name,
            message=f"no drill asks for {mode}, so that nothing proves what stands behind it",
            remedy="Send a request of that kind yourself while its primary cannot be reached.",
        )
