"""Score a drill as failoverbench scores a call: pass, partial, safe or fail.

Pure. Its checks look at the caller's side and at the provider's, as ours do, and never inside.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chaos.drill.drill import Drill
from chaos.judge.evidence import ANSWERED, at_hop, claims_success, has_answer
from chaos.judge.observation import Observation
from chaos.judge.sequence import figures
from chaos.protocol.stand_in import compose
from chaos.witness.wire_record import AttemptOutcome

Value = float | bool


@dataclass(frozen=True, slots=True)
class Scenario:
    """One row of ``scenarios.yaml``."""

    id: str
    title: str
    fault: str
    published: Mapping[str, Any]
    wants: str = "answer"
    fallback: str = "ok"
    checks: Mapping[str, Value] = field(default_factory=dict)
    advisory: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Score:
    """How a scenario came out.

    Attributes:
        verdict: ``pass``, ``partial``, ``safe`` or ``fail``.
        missed: Checks that were not met.
    """

    verdict: str
    missed: tuple[str, ...]
    attempts: str
    pause_s: float | None
    took_s: float


def score(scenario: Scenario, drill: Drill) -> Score:
    """Score *drill* of *scenario*."""
    needed = _missed(scenario.checks, drill)
    wished = _missed(scenario.advisory, drill)
    return Score(
        verdict=_verdict(scenario, drill, needed=bool(needed), wished=bool(wished)),
        missed=(*needed, *wished),
        attempts=f"{len(_primary(drill))}p/{_at_the_fallback(drill)}f",
        pause_s=_pause_s(drill),
        took_s=_took_s(drill),
    )


def _verdict(scenario: Scenario, drill: Drill, *, needed: bool, wished: bool) -> str:
    success = _success(drill)
    if _hung(drill) or needed or (success and not _whole(drill) and scenario.wants == "answer"):
        return "fail"
    if scenario.wants == "error":
        return "partial" if success else "pass"
    if not success:
        return "safe"
    return "partial" if wished else "pass"


def _missed(checks: Mapping[str, Value], drill: Drill) -> list[str]:
    return [name for name, value in checks.items() if not CHECKS[name](drill, float(value))]


def _observations(drill: Drill) -> list[Observation]:
    """Give each request by itself; a drill of one request has one."""
    if not drill.seen.exchanges:
        return [drill.seen]
    return [Observation(one.reply, one.wire) for one in drill.seen.exchanges]


def _success(drill: Drill) -> bool:
    return all(claims_success(one) for one in _observations(drill))


def _whole(drill: Drill) -> bool:
    """Tell whether every answer is the whole one; its beginning may name who gave it."""
    wanted = compose(drill.plan.task.ask).text.strip()
    return all(
        has_answer(one) and one.reply.reading.text.strip().endswith(wanted)
        for one in _observations(drill)
    )


def _hung(drill: Drill) -> bool:
    return any(one.reply.timed_out for one in _observations(drill))


def _primary(drill: Drill) -> tuple[float, ...]:
    """Tell when each attempt at the primary came, by its own clock."""
    return tuple(r.started_at_s for r in at_hop(drill.seen, drill.plan.hops[0].group))


def _at_the_fallback(drill: Drill) -> int:
    return sum(len(at_hop(drill.seen, hop.group)) for hop in drill.plan.hops[1:])


def _pause_s(drill: Drill) -> float | None:
    came = _primary(drill)
    return came[1] - came[0] if len(came) > 1 and not drill.seen.exchanges else None


def _took_s(drill: Drill) -> float:
    exchanges = drill.seen.exchanges
    if not exchanges:
        return drill.seen.reply.total_s or drill.plan.deadline_s
    last = exchanges[-1]
    return last.asked_at_s + (last.reply.total_s or 0.0) - exchanges[0].asked_at_s


def _most_within(window_s: float) -> Callable[[Drill, float], bool]:
    def holds(drill: Drill, most: float) -> bool:
        came = _primary(drill)
        return sum(at_s - came[0] < window_s for at_s in came) <= most

    return holds


def _names_the_fallback(drill: Drill, _: float) -> bool:
    """Tell whether the reply's ``model`` names who served, where the fallback did."""
    models = drill.seen.reply.reading.models
    names = {
        name
        for hop in drill.plan.hops[1:]
        if any(r.outcome in ANSWERED for r in at_hop(drill.seen, hop.group))
        for name in (hop.group, *(d.upstream_model for d in hop.deployments))
    }
    return not names or (bool(models) and models[-1].rpartition("/")[2] in names)


def _prefill_not_masking(drill: Drill, _: float) -> bool:
    """Tell whether no refusal of a prefill took the place of the failure that came before it."""
    refused = any(
        r.outcome is AttemptOutcome.ERRORED and "prefill" in (r.upstream_message or "")
        for r in drill.seen.wire
    )
    return not refused or claims_success(drill.seen)


def _alive(drill: Drill, _: float) -> bool:
    after = drill.seen.after
    return after is not None and has_answer(Observation(after))


def _back_within(drill: Drill, limit_s: float) -> bool:
    back_s = figures(drill.plan, drill.seen).back_after_s
    return back_s is not None and back_s <= limit_s


CHECKS: Mapping[str, Callable[[Drill, float], bool]] = {
    "attempts_at_least": lambda drill, least: len(_primary(drill)) >= least,
    "attempts_at_most": lambda drill, most: len(_primary(drill)) <= most,
    "first_pause_at_least_s": lambda drill, least_s: (_pause_s(drill) or 0.0) >= least_s,
    "most_within_1.5_s": _most_within(1.5),
    "most_within_3_s": _most_within(3.0),
    "ended_within_s": lambda drill, most_s: not _hung(drill) and _took_s(drill) <= most_s,
    "alive_after": _alive,
    "not_truncated": lambda drill, _: not _success(drill) or _whole(drill),
    "whole_answer": lambda drill, _: _success(drill) and _whole(drill),
    "usage": lambda drill, _: drill.seen.reply.reading.usage is not None,
    "names_the_fallback": _names_the_fallback,
    "prefill_not_masking": _prefill_not_masking,
    "served_in_outage": lambda drill, _: not figures(drill.plan, drill.seen).lost_down,
    "back_within_s": _back_within,
}
"""Every kind of check; the number of a check that has none is true."""
