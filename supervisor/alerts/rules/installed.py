"""What is installed of an engine: a swap that nobody goes on with, a patch that hides a change."""

from collections.abc import Iterator
from datetime import timedelta

from supervisor.alerts.rule import AlertRule, Condition
from supervisor.installed import patches, swaps
from supervisor.probes.probe import PartKind
from supervisor.status import Status
from supervisor.store.alerts.records import Severity


def _unfinished(status: Status) -> Iterator[Condition]:
    for swap in swaps(status):
        one = swap.rollout
        if swap.trouble:
            yield Condition(
                labels={"engine": one.engine},
                since=one.changed_at,
                summary=f"the swap of the engine of {one.engine!r} is not finished: {swap.trouble}",
                description=f"{swap.trouble}\n"
                f"Rollout {one.id}, of the container {one.container}. Look where it stands, and "
                f"what serves: understudy rollout status\nThen: {swap.to_do}",
                more={"rollout": one.id},
            )


def _outdated(status: Status) -> Iterator[Condition]:
    for patch in patches(status):
        if patch.trouble:
            look = patch.look
            yield Condition(
                labels={"engine": patch.engine, "target": look.target},
                summary=f"a file mounted over the engine of {patch.engine!r} may be obsolete: "
                f"{patch.trouble}",
                description=f"{look.source} is mounted over {look.target} in the container "
                f"{look.container}.\n{patch.trouble}\n"
                f"Compare: understudy rollout patches {look.container}",
            )


def _unseen(status: Status) -> bool:
    """Tell whether a container was not looked at yet since the daemon was started."""
    parts = status.condition.parts
    return not status.condition.parts_known or any(
        part.kind is PartKind.CONTAINER and standing.at is None for part, standing in parts.items()
    )


RULES = (
    AlertRule("SwapUnfinished", Severity.PAGE, _unfinished),
    AlertRule(
        "PatchOutdated", Severity.TICKET, _outdated, hold=timedelta(minutes=1), unjudged=_unseen
    ),
)
