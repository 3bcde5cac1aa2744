"""Who broke an answer: the gateway, the hop, or the model's mood.

The witness holds the hop's own reply. If that is right and the client's is not, the gateway broke
it. If it is wrong in a way that no other sample would mend, the hop did. Otherwise three direct
samples tell a model that cannot from one that did not this once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from chaos.judge.check import Finding, Kind, Where, failed, passed, unknown
from chaos.judge.evidence import ANSWERED, good_record, source
from chaos.judge.observation import Observation, Sample
from chaos.protocol.reading import Reading
from chaos.scenario.plan import DrillPlan
from chaos.witness.wire_record import AttemptOutcome

ENOUGH_MISSES = 2


class Side(StrEnum):
    """Whose reply is looked at."""

    CLIENT = "client"  # as a strict client of the surface needs it
    UPSTREAM = "upstream"  # in the hop's own wire format, which may know no call ids


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with an answer.

    Attributes:
        what: For a sentence that goes on after a name: "called no tool".
        certain: The form is broken, not the choice of words: asking again proves nothing.
        remedy: What to do if the hop is to blame, where this problem says more than its check.
    """

    kind: Kind
    what: str
    certain: bool = False
    remedy: str | None = None


ProblemOf = Callable[[DrillPlan, Reading, Side], Problem | None]
"""Looks at one reply to one plan's request."""


def lay_blame(
    check: str,
    plan: DrillPlan,
    seen: Observation,
    problem_of: ProblemOf,
    *,
    good: str,
    remedy: str,
) -> Finding:
    """Judge the client's answer, and if it is wrong find out whose fault that is.

    Args:
        good: The message of a pass.
        remedy: What to do if the hop is to blame.
    """
    problem = problem_of(plan, seen.reply.reading, Side.CLIENT)
    if problem is None:
        return passed(check, good)
    record = source(seen) or good_record(seen)
    if record is None or record.outcome not in ANSWERED or record.reply is None:
        return _of_the_gateway(check, problem, "", record.group if record else None)
    own = problem_of(plan, record.reply, Side.UPSTREAM)
    if own is None or record.outcome is AttemptOutcome.STOOD_IN:
        though = f", though {record.group} itself answered rightly" if own is None else ""
        return _of_the_gateway(check, problem, though, record.group)
    if own.certain:
        return failed(
            check,
            own.kind,
            f"{record.group} by its own reply {own.what}.",
            where=Where.HOP,
            hop=record.group,
            remedy=own.remedy or remedy,
        )
    misses = sum(_missed(sample, problem_of) for sample in seen.direct)
    asked = len(seen.direct)
    if misses >= ENOUGH_MISSES:
        return failed(
            check,
            own.kind,
            f"{record.group} {own.what}; asked directly, it missed {misses} of {asked} times.",
            where=Where.MODEL,
            hop=record.group,
            remedy=own.remedy or remedy,
        )
    told = (
        f"asked directly, it missed {misses} of {asked} times"
        if asked
        else ("it has to be asked directly to tell whether it ever does better")
    )
    return unknown(
        check,
        Kind.MODEL_UNRELIABLE,
        f"{record.group} {own.what} this time; {told}.",
        hop=record.group,
        remedy="Drill again; a model that often misses is not a safe fallback for this traffic.",
    )


def _missed(sample: Sample, problem_of: ProblemOf) -> bool:
    """Judge a direct answer like any: an error is a miss."""
    reading = sample.reading
    if reading is None or reading.error is not None:
        return True
    return problem_of(sample.plan, reading, Side.UPSTREAM) is not None


def _of_the_gateway(check: str, problem: Problem, though: str, hop: str | None) -> Finding:
    return failed(
        check,
        problem.kind,
        f"The client's answer {problem.what}{though}.",
        where=Where.GATEWAY,
        hop=hop,
        remedy="The gateway changes this hop's answers on their way: try the other endpoint or "
        "streaming mode, and another version of the gateway.",
    )
