"""Fallbacks whose embeddings fit no index that the group has filled."""

from collections.abc import Iterable

from supervisor.audit.finding import Audited, AuditFinding


def embedding_sizes_differ(audited: Audited) -> Iterable[AuditFinding]:
    """A fallback's embeddings have another size than the group's own.

    An index holds vectors of one size, of one model: others are refused, or poison it.
    """
    topology = audited.topology
    for name, group in audited.groups.items():
        size = group.vector_size
        for hop in topology.chain(name).fallbacks:
            found = topology.find(hop)
            other = found.vector_size if found else None
            if size is None or other is None or other == size:
                continue
            yield AuditFinding(
                code="embedding_sizes_differ",
                severity="error",
                subject=name,
                message=f"{name!r} makes embeddings of {size:,} numbers and its fallback {hop!r} "
                f"of {other:,}: they fit no index that {name!r} has filled",
                remedy=f"Give {name!r} a fallback with the same model, or the same dimensions.",
            )
