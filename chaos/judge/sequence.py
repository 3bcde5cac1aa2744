"""Judge a sequence: each request by the checks, and what only all of them together show.

Pure. In a sequence with cooldowns the gateway may leave a hop out that is down, or was, and should:
a request is judged by the chain that was left for it.
"""

import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from chaos.judge.check import WARNINGS, Check, Finding, Kind, Result, Where, failed, passed, unknown
from chaos.judge.checks.fault_hit import NAME as FAULT_HIT
from chaos.judge.evidence import ANSWERED, has_answer, honest_error, times, told
from chaos.judge.observation import Exchange, Observation, Stage
from chaos.judge.verdict import Verdict, conclude, judge
from chaos.scenario.plan import DrillPlan, HopRole, PlannedHop
from chaos.witness.wire_record import AttemptOutcome

NAME = "sequence"


@dataclass(frozen=True, slots=True)
class Figures:
    """What a sequence measured.

    Attributes:
        lost: Requests without an answer, of all *requests*, though one was to be had; *lost_down*
            of those in the outage.
        errors: Requests that got one honest error while every hop was down: all that was to be had.
        attempts_down: At the primary, in the outage.
        extra_wait_s: What a request in the outage took longer than the primary usually takes: the
            mean; *most_extra_wait_s* is the longest. None where nothing can be compared.
        back_after_s: From the end of the outage to the primary's first answer; None if it gave
            none in its time.
        order: Who served after the outage, in the order in which they began.
    """

    requests: int
    lost: int
    requests_down: int
    lost_down: int
    errors: int
    attempts_down: int
    extra_wait_s: float | None
    most_extra_wait_s: float | None
    back_after_s: float | None
    order: tuple[str, ...]


def figures(plan: DrillPlan, seen: Observation) -> Figures:
    """Count and measure what was seen."""
    down = [one for one in seen.exchanges if one.stage is Stage.DOWN]
    extra = _extra_waits_s(plan, seen, down)
    after = [server for one in _at(seen, Stage.AFTER) if (server := served_by(one)) is not None]
    return Figures(
        requests=len(seen.exchanges),
        lost=sum(_is_lost(plan, one) for one in seen.exchanges),
        requests_down=len(down),
        lost_down=sum(_is_lost(plan, one) for one in down),
        errors=sum(
            not has_answer(_seen(one)) and not _is_lost(plan, one) for one in seen.exchanges
        ),
        attempts_down=_attempts_down(plan, seen),
        extra_wait_s=statistics.fmean(extra) if extra else None,
        most_extra_wait_s=max(extra, default=None),
        back_after_s=_back_after_s(plan, seen),
        order=tuple(dict.fromkeys(after)),
    )


def judge_sequence(plan: DrillPlan, seen: Observation, checks: Iterable[Check]) -> Verdict:
    """Come to a verdict over all requests."""
    course = plan.course
    if course is None:
        raise ValueError("a plan without a course is no sequence")
    checks = tuple(checks)
    found = _unproven(plan, seen)
    if found is not None:
        return conclude((found,), aborted=seen.aborted is not None)
    findings = [*_lost(plan, seen), *_of_requests(plan, seen, checks)]
    measured = figures(plan, seen)
    if measured.back_after_s is None:
        findings.append(_slow(plan, course.recover_within_s, measured.order))
    if not any(f.result is Result.FAILED and f.kind not in WARNINGS for f in findings):
        findings.insert(0, passed(NAME, summary(plan, measured)))
    return conclude(tuple(findings), aborted=seen.aborted is not None)


def summary(plan: DrillPlan, measured: Figures) -> str:
    """Say in one sentence what was measured."""
    primary = plan.hops[0].group
    back = measured.back_after_s
    waited = measured.most_extra_wait_s
    honest = f", {measured.errors} told that every hop was down" if measured.errors else ""
    return (
        f"{measured.requests} requests, {measured.lost or 'none'} lost{honest}; "
        f"{measured.requests_down} in the outage, with {measured.attempts_down} attempts at "
        f"{primary}"
        + (f" and up to {max(waited, 0.0):.1f} s more to wait" if waited is not None else "")
        + (
            f"; {primary} served again {back:.1f} s after it."
            if back is not None
            else f"; {primary} did not serve again."
        )
    )


def served_by(one: Exchange) -> str | None:
    """Name the group whose answer the client got; None if it got none."""
    good = [record.group for record in one.wire if record.outcome in ANSWERED]
    return good[-1] if good and has_answer(_seen(one)) else None


def _unproven(plan: DrillPlan, seen: Observation) -> Finding | None:
    """Say why the sequence proves nothing: its outage never began, or met no request."""
    primary = plan.hops[0].group
    last = seen.exchanges[-1] if seen.exchanges else None
    if last is None or seen.down_at_s is None:
        down = last is not None and last.reply.status is None and not last.reply.timed_out
        got = told(_seen(last)) if last is not None else "nothing"
        return unknown(
            NAME,
            Kind.GATEWAY_DOWN if down else Kind.COOLDOWN_OPEN,
            f"{primary} did not serve before the outage began, so nothing was rehearsed: the "
            f"client got {got}.",
            hop=primary,
            remedy=f"Wait until {primary} serves ordinary requests, and drill again.",
        )
    if not _attempts_down(plan, seen):
        return unknown(
            NAME,
            Kind.FAULT_NOT_HIT,
            f"No request reached {primary} while it was down.",
            hop=primary,
            remedy="Give the outage longer: --fault outage.seconds_60.",
        )
    return None


def _lost(plan: DrillPlan, seen: Observation) -> Iterator[Finding]:
    """Tell the requests without an answer, by how they were lost."""
    by_kind: dict[Kind, list[Exchange]] = {}
    for one in seen.exchanges:
        if _is_lost(plan, one):
            by_kind.setdefault(_how_lost(plan, one), []).append(one)
    for kind, lost in by_kind.items():
        first = lost[0]
        when = _when(first, seen)
        of = len(seen.exchanges)
        yield failed(
            NAME,
            kind,
            f"{len(lost)} of {of} requests were lost; the first, {when}, got {told(_seen(first))}.",
            where=Where.GATEWAY,
            hop=plan.hops[0].group,
            remedy=f"Give {plan.hops[0].group} a fallback in the gateway's router settings."
            if kind is Kind.NO_FALLBACK
            else "Drill the same group with --fault server_error: one request shows at which hop "
            "the chain breaks. Requests that are lost only in an outage, or after it, are lost to "
            "the cooldowns of its hops (allowed_fails, cooldown_time).",
        )


def _of_requests(
    plan: DrillPlan, seen: Observation, checks: tuple[Check, ...]
) -> Iterator[Finding]:
    """Tell what is wrong with requests that were not lost, each thing once."""
    told_: dict[tuple[str, Kind | None], list[tuple[Exchange, Finding]]] = {}
    for one in seen.exchanges:
        if _is_lost(plan, one) or _is_cooled(plan, one):
            continue
        alone = as_it_was(plan, one)
        # An answer with nothing on the wire is nobody's; that check says so.
        wanted = not one.wire or any(hop.role is HopRole.FAIL for hop in alone.hops)
        due = [check for check in checks if wanted or check.name != FAULT_HIT]
        for finding in judge(alone, _seen(one), due).findings:
            reason = finding.kind is not None and finding.kind.is_reason
            if finding.result is Result.FAILED or (finding.result is Result.UNKNOWN and reason):
                told_.setdefault((finding.check, finding.kind), []).append((one, finding))
    for alike in told_.values():
        one, finding = alike[0]
        more = f" (and {times(len(alike) - 1)} more)" if len(alike) > 1 else ""
        yield replace(
            finding,
            message=f"{_when(one, seen).capitalize()}: {finding.message.rstrip('.')}{more}.",
        )


def as_it_was(plan: DrillPlan, one: Exchange) -> DrillPlan:
    """Plan one request of a sequence by itself, with the chain that the gateway had left for it.

    A hop that was to fail and was not asked was kept out of rotation; one that was asked after its
    fault had ended has to serve.
    """
    hops: list[PlannedHop] = []
    serves = False
    for hop in plan.hops:
        outcomes = {record.outcome for record in one.wire if record.group == hop.group}
        if hop.fault is not None and not outcomes:
            continue
        if hop.fault is not None and AttemptOutcome.FAULTED in outcomes:
            ended = bool(outcomes & ANSWERED)
            hops.append(replace(hop, fault=replace(hop.fault, once=ended)))
            continue
        role = HopRole.SPARE if serves else HopRole.SERVE
        serves = True
        hops.append(replace(hop, role=role, fault=None))
    hops = hops or list(plan.hops)
    # In the order in which they were asked: those that failed come first.
    failing = [hop for hop in hops if hop.role is HopRole.FAIL]
    hops = [*failing, *(hop for hop in hops if hop.role is not HopRole.FAIL)]
    scenario = replace(
        plan.scenario,
        chain=tuple(hop.group for hop in hops),
        depth=len(failing),
        faults={hop.group: hop.fault for hop in failing if hop.fault is not None},
    )
    return replace(plan, scenario=scenario, hops=tuple(hops), course=None)


def _seen(one: Exchange) -> Observation:
    return Observation(one.reply, one.wire)


def _is_lost(plan: DrillPlan, one: Exchange) -> bool:
    """Tell whether a request got no answer, where one was to be had."""
    alone = _seen(one)
    nobody = plan.scenario.everything_down and len(plan.hops) > 1 and one.stage is Stage.DOWN
    return not has_answer(alone) and not (nobody and honest_error(alone))


def _is_cooled(plan: DrillPlan, one: Exchange) -> bool:
    """Tell whether an error needs no hop to have been asked: nobody could serve, and it is honest.

    Where all were asked, the checks judge it like that of any other drill.
    """
    asked = {record.group for record in one.wire}
    return not has_answer(_seen(one)) and any(hop.group not in asked for hop in plan.hops)


def _how_lost(plan: DrillPlan, one: Exchange) -> Kind:
    if one.reply.timed_out:
        return Kind.TOO_LATE
    if len(plan.hops) == 1:
        return Kind.NO_FALLBACK
    tried = {record.group for record in one.wire}
    fallbacks = {hop.group for hop in plan.hops[1:]}
    return Kind.HOP_FAILED if tried & fallbacks else Kind.NEVER_TRIED


def _slow(plan: DrillPlan, limit_s: float, order: Sequence[str]) -> Finding:
    primary = plan.hops[0].group
    instead = f": {', '.join(order)} served instead" if order else ""
    return failed(
        NAME,
        Kind.SLOW_RECOVERY,
        f"{primary} was well again and did not serve within {limit_s:g} s{instead}.",
        where=Where.GATEWAY,
        hop=primary,
        remedy="A failed deployment stays away for its cooldown_time (of the deployment, else a "
        "retry-after, else of router_settings): lower it, or give --recover-within what your "
        "users can wait.",
    )


def _when(one: Exchange, seen: Observation) -> str:
    if one.stage is Stage.BEFORE or seen.down_at_s is None:
        return "before the outage"
    if one.stage is Stage.DOWN or seen.well_at_s is None:
        return f"{one.asked_at_s - seen.down_at_s:.1f} s into the outage"
    return f"{max(one.asked_at_s - seen.well_at_s, 0.0):.1f} s after the outage"


def _at(seen: Observation, stage: Stage) -> list[Exchange]:
    return [one for one in seen.exchanges if one.stage is stage]


def _attempts_down(plan: DrillPlan, seen: Observation) -> int:
    primary = plan.hops[0].group
    return sum(
        record.group == primary and record.outcome is AttemptOutcome.FAULTED for record in seen.wire
    )


def _back_after_s(plan: DrillPlan, seen: Observation) -> float | None:
    primary, well_at_s = plan.hops[0].group, seen.well_at_s
    if well_at_s is None:
        return None
    back = (
        record.started_at_s - well_at_s
        for record in seen.wire
        if record.group == primary
        and record.outcome in ANSWERED
        and record.started_at_s >= well_at_s
    )
    return next(back, None)


def _extra_waits_s(plan: DrillPlan, seen: Observation, down: Sequence[Exchange]) -> list[float]:
    primary = plan.hops[0].group
    usual = [
        one.reply.total_s
        for one in seen.exchanges
        if one.stage is not Stage.DOWN and served_by(one) == primary and one.reply.total_s
    ]
    if not usual:
        return []
    usual_s = statistics.median(usual)
    took = (one.reply.total_s or one.reply.deadline_s for one in down)
    return [seconds - usual_s for seconds in took if seconds is not None]
