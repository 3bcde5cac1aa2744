"""The drill report: what the command line prints as JSON, and others build on.

The models below are the published schema (``understudy/drill-report/1``); additive changes are
free, anything else needs a new version.
"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from chaos.drill.drill import DEFECT, Drill
from chaos.drill.events import CampaignEnded, CampaignPlanned, DrillEnded, Event
from chaos.drill.requests.whole_group import NAME as WHOLE_GROUP
from chaos.drill.spending import Spending
from chaos.exit_code import ExitCode
from chaos.gateway.topology import Trigger
from chaos.judge.check import Kind, Result, Where
from chaos.judge.evidence import has_answer, source
from chaos.judge.known_gaps import Failure, Gap, explanation
from chaos.judge.observation import Observation
from chaos.judge.sequence import figures
from chaos.judge.verdict import Outcome
from chaos.scenario.expectation import Expected
from chaos.scenario.plan import DrillPlan, HopRole, PlannedHop
from chaos.witness.wire_record import AttemptOutcome, WireRecord


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class WildcardRow(_Model):
    """A wildcard such as ``openai/*``, and the model group that is drilled for it."""

    pattern: str
    group: str


class GatewayRow(_Model):
    """The gateway that was drilled; *stripped* is what a twin had to leave out.

    *as_key* names the virtual key as which it was drilled, by its alias or how it ends;
    *closed* are the groups that this key cannot ask for, with the reason.
    """

    url: str
    litellm_version: str
    stripped: tuple[str, ...] = ()
    wildcards: tuple[WildcardRow, ...] = ()
    as_key: str | None = None
    closed: dict[str, str] = Field(default_factory=dict)


class Summary(_Model):
    """Counts of one report. A failure that is a known gap is counted only as such.

    *routed* are those of the passed in which a stand-in answered: the gateway's routing is proven,
    the hop is not. *not_started* were planned and have no row: never started, or not ended yet.
    """

    passed: int
    routed: int
    failed: int
    known_gaps: int
    inconclusive: int
    aborted: int
    duration_s: float
    requests: int
    tokens: int
    cost_usd: float
    not_started: int = 0


class ScenarioRow(_Model):
    """What was rehearsed; *fault* was asked for, *faults* is what each failing hop really got.

    *client* is as whom it was asked: a client that 'understudy clients' lists, or the name of a
    profile's file; null for nobody in particular.
    """

    key: str
    group: str
    chain: tuple[str, ...]
    fault: str
    trigger: Trigger
    depth: int
    expected_hop: str | None
    faults: dict[str, str]
    shape: str
    surface: str
    stream: bool
    client: str | None = None


class FindingRow(_Model):
    """What one check found."""

    check: str
    result: Result
    kind: Kind | None
    where: Where | None
    hop: str | None
    message: str
    remedy: str | None


class HopRow(_Model):
    """One hop as the wire saw it; *status* and *deployment* are the last attempt's."""

    group: str
    deployment: str | None
    attempts: int
    outcome: Literal["faulted", "served", "stood_in", "errored", "skipped"]
    status: int | None
    fault: str | None


class ReplyRow(_Model):
    """What the client got; *served_by* is the wire's word, *claimed_by* the gateway's.

    *proof* says whose bytes the answer is: the hop's own, or those of the witness in its place.
    """

    status: int | None
    ttft_s: float | None
    total_s: float | None
    served_by: str | None
    claimed_by: str | None
    proof: Literal["real", "stand_in"] | None


class SequenceRow(_Model):
    """What a drill measured that sent many requests: before an outage, in it and after it.

    *lost* are those without an answer though one was to be had, *errors* those that got one honest
    error while every hop was down; *extra_wait_s* is what an answer in the outage took longer
    than the primary's usual one, the mean and *most_extra_wait_s* the longest; *back_after_s* is
    the time from the outage's end to the primary's first answer, null if it gave none in time;
    *order* is who served after the outage.
    """

    down_s: float
    requests: int
    lost: int
    requests_down: int
    lost_down: int
    errors: int = 0
    attempts_down: int
    extra_wait_s: float | None
    most_extra_wait_s: float | None
    back_after_s: float | None
    order: tuple[str, ...]
    took_s: float


class DrillRow(_Model):
    """One drill; *sequence* is there where it sent many requests.

    *expected* is how it should end, as the settings say.
    """

    id: str
    injector: str
    credentials: Literal["canary", "real"]
    scenario: ScenarioRow
    outcome: Outcome
    kind: Kind | None
    known_gap: str | None
    findings: tuple[FindingRow, ...]
    hops: tuple[HopRow, ...]
    reply: ReplyRow
    started_at: datetime
    attempt: int
    sequence: SequenceRow | None = None
    expected: Expected = Expected.SERVED


class DrillReport(_Model):
    """Everything that a run of ``understudy drill`` found; *seed* replays the ids of its drills."""

    schema_: Literal["understudy/drill-report/1"] = Field(
        "understudy/drill-report/1", alias="schema"
    )
    gateway: GatewayRow
    summary: Summary
    drills: tuple[DrillRow, ...]
    seed: int | None = None


def row_of(drill: Drill, *, litellm_version: str, gaps: Sequence[Gap] = ()) -> DrillRow:
    """Turn a drill into its row; the row keeps nothing of the replies' bodies."""
    plan, verdict, seen = drill.plan, drill.verdict, drill.seen
    scenario = plan.scenario
    gap = None
    if verdict.outcome is Outcome.FAILED and verdict.kind is not None:
        failure = Failure(
            version=litellm_version,
            plan=plan,
            kind=verdict.kind,
            findings=tuple(f for f in verdict.findings if f.result is Result.FAILED),
            attempts=Counter(record.group for record in seen.wire if record.group is not None),
        )
        gap = explanation(gaps, failure)
    return DrillRow(
        id=plan.id,
        injector=plan.injector,
        credentials="canary" if plan.canary else "real",
        scenario=ScenarioRow(
            key=scenario.key,
            group=scenario.group,
            chain=scenario.chain,
            fault=str(scenario.fault),
            trigger=scenario.trigger,
            depth=scenario.depth,
            expected_hop=scenario.expected_hop,
            faults={hop: str(fault) for hop, fault in scenario.faults.items()},
            shape=scenario.shape,
            surface=scenario.surface,
            stream=scenario.stream,
            client=plan.client,
        ),
        outcome=verdict.outcome,
        kind=verdict.kind,
        known_gap=gap,
        findings=tuple(
            FindingRow(
                check=f.check,
                result=f.result,
                kind=f.kind,
                where=f.where,
                hop=f.hop,
                message=f.message,
                remedy=f.remedy,
            )
            for f in verdict.findings
        ),
        hops=_hops(plan, seen.wire),
        reply=ReplyRow(
            status=seen.reply.status,
            ttft_s=_rounded(seen.reply.ttft_s),
            total_s=_rounded(seen.reply.total_s),
            served_by=served_by(seen),
            claimed_by=seen.reply.headers.get("x-litellm-model-group"),
            proof=proof_of(seen),
        ),
        started_at=drill.started_at,
        attempt=plan.attempt,
        sequence=_sequence(plan, seen),
        expected=plan.expect,
    )


def _sequence(plan: DrillPlan, seen: Observation) -> SequenceRow | None:
    if plan.course is None or not seen.exchanges:
        return None
    measured = figures(plan, seen)
    first, last = seen.exchanges[0], seen.exchanges[-1]
    ended_s = last.asked_at_s + (last.reply.total_s or last.reply.deadline_s or 0.0)
    return SequenceRow(
        down_s=plan.course.down_s,
        requests=measured.requests,
        lost=measured.lost,
        requests_down=measured.requests_down,
        lost_down=measured.lost_down,
        errors=measured.errors,
        attempts_down=measured.attempts_down,
        extra_wait_s=_rounded(measured.extra_wait_s),
        most_extra_wait_s=_rounded(measured.most_extra_wait_s),
        back_after_s=_rounded(measured.back_after_s),
        order=measured.order,
        took_s=round(ended_s - first.asked_at_s, 4),
    )


def proof_of(seen: Observation) -> Literal["real", "stand_in"] | None:
    """Say whose bytes the client's answer is; None if it is nobody's that may answer."""
    record = source(seen) if has_answer(seen) else None
    if record is None:
        return None
    if record.outcome is AttemptOutcome.SERVED:
        return "real"
    return "stand_in" if record.outcome is AttemptOutcome.STOOD_IN else None


def served_by(seen: Observation) -> str | None:
    """Name the group whose answer crossed the wire last; None if none answered well."""
    good = (AttemptOutcome.SERVED, AttemptOutcome.STOOD_IN)
    served = [r for r in seen.wire if r.outcome in good]
    return served[-1].group if served and seen.reply.ok else None


def _hops(plan: DrillPlan, wire: Sequence[WireRecord]) -> tuple[HopRow, ...]:
    rows = [_hop(hop.group, hop, [r for r in wire if r.group == hop.group]) for hop in plan.hops]
    planned = {hop.group for hop in plan.hops}
    others = dict.fromkeys(r.group for r in wire if r.group and r.group not in planned)
    rows += [_hop(group, None, [r for r in wire if r.group == group]) for group in others]
    return tuple(rows)


def _hop(group: str, hop: PlannedHop | None, records: Sequence[WireRecord]) -> HopRow:
    if not records:
        return HopRow(
            group=group,
            deployment=None,
            attempts=0,
            outcome="skipped",
            status=None,
            fault=str(hop.fault) if hop and hop.role is HopRole.FAIL and hop.fault else None,
        )
    last = records[-1]
    outcomes: dict[AttemptOutcome, Literal["faulted", "served", "stood_in", "errored"]] = {
        AttemptOutcome.FAULTED: "faulted",
        AttemptOutcome.SERVED: "served",
        AttemptOutcome.STOOD_IN: "stood_in",
        AttemptOutcome.ERRORED: "errored",
        AttemptOutcome.REFUSED: "errored",
    }
    return HopRow(
        group=group,
        deployment=last.deployment,
        attempts=len(records),
        outcome=outcomes[last.outcome],
        status=last.status,
        fault=last.fault,
    )


def took_s(row: DrillRow) -> float | None:
    """Say how long a drill took, as its client felt it; None if it never ended by itself."""
    return row.reply.total_s if row.sequence is None else row.sequence.took_s


def is_routed(row: DrillRow) -> bool:
    """Tell whether a drill passed by the answer of a stand-in."""
    return row.outcome is Outcome.PASSED and row.reply.proof == "stand_in"


def is_partial(row: DrillRow) -> bool:
    """Tell whether a drill passed without having seen every deployment of the serving group."""
    unseen = any(f.check == WHOLE_GROUP and f.result is Result.UNKNOWN for f in row.findings)
    return row.outcome is Outcome.PASSED and unseen


def is_defect(row: DrillRow) -> bool:
    """Tell whether a drill broke off by an error of our own."""
    return any(f.check == DEFECT for f in row.findings)


def summarise(
    rows: Sequence[DrillRow], *, duration_s: float, spent: Spending, planned: int = 0
) -> Summary:
    """Count *rows*, and what of *planned* has none."""
    counts = {outcome: sum(1 for r in rows if r.outcome is outcome) for outcome in Outcome}
    gaps = sum(1 for r in rows if r.known_gap is not None)
    return Summary(
        passed=counts[Outcome.PASSED],
        routed=sum(1 for r in rows if is_routed(r)),
        failed=counts[Outcome.FAILED] - gaps,
        known_gaps=gaps,
        inconclusive=counts[Outcome.INCONCLUSIVE],
        aborted=counts[Outcome.ABORTED],
        duration_s=round(duration_s, 3),
        requests=spent.requests,
        tokens=spent.tokens,
        cost_usd=round(spent.cost_usd, 6),
        not_started=max(planned - len(rows), 0),
    )


class ReportBuilder:
    """Listens to a campaign, and makes its report.

    Args:
        stripped: What a twin's configuration had to leave out.
        wildcards: The model group that stands for each wildcard, by pattern.
        spending: Of the rehearsal, which counts while it drills.
        gaps: Failures that are known or accepted.
        seed: What replays the ids of the drills.
        as_key: The virtual key as which the gateway is drilled, as people name it.
        closed: What that key cannot ask for, with the reason.
    """

    def __init__(
        self,
        url: str,
        litellm_version: str,
        *,
        spending: Spending,
        stripped: tuple[str, ...] = (),
        wildcards: Mapping[str, str] | None = None,
        gaps: Sequence[Gap] = (),
        seed: int | None = None,
        as_key: str | None = None,
        closed: Mapping[str, str] | None = None,
    ) -> None:
        self.gateway = GatewayRow(
            url=url,
            litellm_version=litellm_version,
            stripped=stripped,
            wildcards=tuple(
                WildcardRow(pattern=pattern, group=group)
                for pattern, group in (wildcards or {}).items()
            ),
            as_key=as_key,
            closed=dict(closed or {}),
        )
        self._spending = spending
        self._gaps = gaps
        self._seed = seed
        self._planned = 0
        self._rows: dict[str, DrillRow] = {}
        self._began_s = time.monotonic()

    def take(self, event: Event) -> None:
        """Note what has happened; a drill that was judged anew takes its old row's place."""
        if isinstance(event, CampaignPlanned):
            self._planned = len(event.plans)
        elif isinstance(event, DrillEnded):
            self._add(event.drill)
        elif isinstance(event, CampaignEnded) and event.revised is not None:
            self._add(event.revised)

    def _add(self, drill: Drill) -> None:
        version = self.gateway.litellm_version
        self._rows[drill.plan.id] = row_of(drill, litellm_version=version, gaps=self._gaps)

    @property
    def ran(self) -> int:
        """How many drills came to an end of their own."""
        return sum(row.outcome is not Outcome.ABORTED for row in self._rows.values())

    def report(self) -> DrillReport:
        """Make the report of what has happened so far."""
        rows = tuple(self._rows.values())
        took_s = time.monotonic() - self._began_s
        return DrillReport(
            gateway=self.gateway,
            summary=summarise(rows, duration_s=took_s, spent=self._spending, planned=self._planned),
            drills=rows,
            seed=self._seed,
        )


def exit_code(summary: Summary, rows: Iterable[DrillRow], *, stopped: bool = False) -> ExitCode:
    """Say how ``understudy drill`` ends.

    0 all passed; 1 at least one failed; 70 none failed but one broke off by a defect of ours;
    4 aborted or never started, by these; 3 something inconclusive, or known gaps and no pass.

    Args:
        stopped: A signal ended the run before its time.
    """
    if summary.failed:
        return ExitCode.FAILED
    if any(is_defect(row) for row in rows):
        return ExitCode.INTERNAL
    if summary.aborted or summary.not_started or stopped:
        return ExitCode.STOPPED
    if summary.inconclusive or (summary.known_gaps and not summary.passed):
        return ExitCode.INCONCLUSIVE
    return ExitCode.OK if summary.passed else ExitCode.INCONCLUSIVE


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 4)
