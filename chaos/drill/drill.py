"""A drill that has ended, and one that was refused."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from chaos.judge.check import Finding, Kind, Result
from chaos.judge.observation import ClientReply, Observation
from chaos.judge.verdict import Outcome, Verdict
from chaos.protocol.reading import Reading
from chaos.scenario.plan import DrillPlan
from chaos.witness.wire_record import WireRecord

MAY_RUN = "may_run"
"""The check of a drill that was refused."""

STOOD_STILL = "drill"
"""The check of a drill during which this process itself stood still."""

DEFECT = "defect"
"""The check of a drill that broke off by an error of our own."""

NOTHING_YET = ClientReply(status=None, reading=Reading())

UNDISTURBED_WITHIN_S = 60.0
"""How long the one undisturbed request may take, whatever the drills' deadline is."""


@dataclass(frozen=True, slots=True)
class Drill:
    """A drill that has ended.

    Attributes:
        plan: As it was carried out last; its id is that of the plan that was made first.
        requests: Requests sent to the gateway for it: canaries, first tries, further runs, direct
            samples and what puts a lane right again included.
        wire: Every attempt of all these, each with the plan of its request.
    """

    plan: DrillPlan
    verdict: Verdict
    seen: Observation
    started_at: datetime
    requests: int = 1
    wire: tuple[tuple[DrillPlan, WireRecord], ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a plan may not be carried out now.

    Attributes:
        kind: One of the reasons of ``Kind``.
    """

    kind: Kind
    reason: str
    remedy: str


MayRun = Callable[[DrillPlan], Awaitable[Refusal | None]]
"""The guard: says why a plan may not be carried out now; None if it may."""


async def always(_: DrillPlan) -> Refusal | None:
    """Refuse nothing: the guard where there is none."""
    return None


def refused(plan: DrillPlan, refusal: Refusal, at: datetime) -> Drill:
    """Make the record of a drill that was not run: inconclusive, with the reason."""
    finding = Finding(
        check=MAY_RUN,
        result=Result.UNKNOWN,
        message=refusal.reason,
        kind=refusal.kind,
        remedy=refusal.remedy,
    )
    verdict = Verdict(Outcome.INCONCLUSIVE, refusal.kind, (finding,))
    return Drill(plan, verdict, Observation(NOTHING_YET), at, 0)
