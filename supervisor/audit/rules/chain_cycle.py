"""Groups that fall back to themselves, or to each other."""

from collections.abc import Iterable, Mapping

from supervisor.audit.advice import LISTS, chain_advice, stand_in
from supervisor.audit.finding import Audited, AuditFinding


def chain_cycle(audited: Audited) -> Iterable[AuditFinding]:
    """A group falls back to nothing but itself, or two groups to each other.

    No request goes round in circles: LiteLLM asks each target once. Source:
    ``attempted_targets``, LiteLLM 1.106.2.
    """
    for setting in LISTS.values():
        lists = _first_entries(audited, setting)
        for name, targets in lists.items():
            own = _real(audited, name)
            meant = {_real(audited, target) for target in targets}
            if meant == {own}:
                yield _only_itself(audited, setting, name)
            for other in sorted(meant - {own}):
                back = {_real(audited, target) for target in lists.get(other, ())}
                if name == own and own < other and own in back:
                    yield _each_other(setting, own, other)


def _first_entries(audited: Audited, setting: str) -> Mapping[str, tuple[str, ...]]:
    """Read the entries that count: the first of each group."""
    entries: dict[str, tuple[str, ...]] = {}
    for entry in getattr(audited.topology.settings, setting):
        for name, targets in entry.items():
            entries.setdefault(name, targets)
    return entries


def _real(audited: Audited, name: str) -> str:
    return audited.topology.aliases.get(name, name)


def _only_itself(audited: Audited, setting: str, name: str) -> AuditFinding:
    general = [hop for hop in audited.topology.chain(name).fallbacks if hop != _real(audited, name)]
    advice = chain_advice(audited, name, general or [stand_in(audited, name)], setting)
    return AuditFinding(
        code="chain_cycle",
        severity="warning",
        subject=name,
        message=f"{setting} of {name!r} names only {name!r} itself: LiteLLM skips what has failed "
        "already, so that nothing answers in its place",
        remedy=advice.text,
        config=advice.config,
    )


def _each_other(setting: str, name: str, other: str) -> AuditFinding:
    return AuditFinding(
        code="chain_cycle",
        severity="info",
        subject=name,
        message=f"in {setting} {name!r} and {other!r} fall back to each other: LiteLLM asks each "
        "once and then gives up, so that no request goes round in circles",
        remedy="Nothing, if that is meant. A third group at the end of both lists would answer "
        "where both fail.",
        groups=(name, other),
    )
