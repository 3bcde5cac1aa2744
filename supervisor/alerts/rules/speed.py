"""An engine that has become slower than its baseline."""

from collections.abc import Iterator

from supervisor.alerts.rule import AlertRule, Condition
from supervisor.baseline.compare import Comparison, Verdict
from supervisor.status import Status
from supervisor.store.alerts.records import Severity


def _regressed(status: Status) -> Iterator[Condition]:
    for engine, speed in status.speeds.items():
        known = speed.comparison
        if known is None or known.verdict is not Verdict.SLOWER:
            continue
        yield Condition(
            labels={"engine": engine},
            since=known.after.taken_at,
            summary=f"the engine of {engine!r} has become slower: {_worst(known)}",
            description="\n".join(_told(known)),
            more={"benchmark": known.after.id, "baseline": known.before.id},
        )


def _worst(known: Comparison) -> str:
    row = min(known.rows, key=lambda row: row.speed.middle)
    if row.speed.verdict is Verdict.SLOWER:
        now, was = f"{row.after_tps:.1f}", f"{row.before_tps:.1f}"
        return f"{now} tokens a second of {row.text}, {was} in its baseline ({row.speed})"
    late = [row for row in known.rows if row.waits_longer]
    return f"the first token of {late[0].text} comes later ({late[0].first_token})"


def _told(known: Comparison) -> Iterator[str]:
    for row in known.rows:
        yield (
            f"{row.text}: {row.before_tps:.1f} to {row.after_tps:.1f} tokens a second, "
            f"{row.speed}, {row.verdict.value}"
        )
    for name, was, is_ in known.changed:
        yield f"changed: {name}: {was} to {is_}"
    yield (
        f"understudy bench compare {known.before.id} {known.after.id} shows all of it. If it is "
        f"meant so: understudy bench run {known.after.engine} makes a new baseline."
    )


RULES = (AlertRule("ThroughputRegressed", Severity.TICKET, _regressed),)
