"""The rule that closes every verdict: what a pass has to rest on, whatever the checks found.

A drill passes only if the client's answer is the answer of a hop that may serve, by that hop's
own bytes, or the one honest error that the scenario allows. Checks are each careful about one
thing and may rely on another to judge the rest; this rule relies on none.
"""

from chaos.faults.fault import Phase
from chaos.judge.check import Finding, Kind, Where, failed, passed, unknown
from chaos.judge.evidence import (
    ANSWERED,
    asked_besides,
    at_hop,
    error_allowed,
    has_answer,
    honest_error,
    refuses,
    same_output,
    source,
    told,
)
from chaos.judge.observation import Observation
from chaos.judge.reply_changes import changes, plain
from chaos.scenario.expectation import Expected
from chaos.scenario.plan import DrillPlan
from chaos.witness.wire_record import AttemptOutcome, WireRecord

NAME = "proof"


def close(plan: DrillPlan, seen: Observation) -> Finding:
    """Say what the pass rests on, or why it is none."""
    if not has_answer(seen):
        return _error(plan, seen)
    record = source(seen)
    if record is None:
        return _wrong("came from no attempt that the witness saw", None)
    if record.outcome not in ANSWERED:
        return _through_a_fault(plan, seen, record)
    if record.group not in plan.may_serve:
        return _other_hop(plan, seen, record)
    return _own_bytes(plan, seen, record)


def _error(plan: DrillPlan, seen: Observation) -> Finding:
    if error_allowed(plan, seen) and honest_error(seen):
        kept = all(r.reply is not None for r in seen.wire if r.outcome in ANSWERED)
        if kept and not _spoken(_letters(seen.reply.reading.text), _texts(seen)):
            return _wrong("begins, before its error, with text that no hop gave", None)
        if plan.expect is Expected.REFUSED:
            return _refusal(plan, seen)
        as_expected = ", as the settings expect" if plan.expect is Expected.ERROR else ""
        return passed(NAME, f"The client got one honest error{as_expected}: {told(seen)}.")
    return failed(
        NAME,
        Kind.ANSWER_DEGRADED,
        f"The client got neither an answer nor an error that this scenario allows: {told(seen)}.",
        where=Where.GATEWAY,
        remedy="Look at the attempts on the wire: a hop answered nothing that the gateway passed "
        "on, or the gateway changed the error on its way.",
    )


def _refusal(plan: DrillPlan, seen: Observation) -> Finding:
    """Hold a refusal to what it has to be: a 4xx, and nobody else was asked."""
    others = asked_besides(plan, seen)
    if not refuses(plan, seen) or others:
        return failed(
            NAME,
            Kind.WRONG_HOP if others else Kind.ANSWER_DEGRADED,
            f"{others[0]} was contacted, where the settings expect a refusal."
            if others
            else f"The settings expect a refusal, and the client got {told(seen)}.",
            where=Where.GATEWAY,
            hop=others[0] if others else None,
            remedy="Keep the gateway from falling back here, or change the expectation.",
        )
    return passed(NAME, f"refused, as the settings expect: {told(seen)}.")


def _texts(seen: Observation) -> list[str]:
    return [_letters(r.reply.text) for r in seen.wire if r.reply is not None]


def _letters(text: str) -> str:
    return "".join(plain(text).split())


def _spoken(text: str, texts: list[str]) -> bool:
    """Tell whether *text* is what attempts said, each at most once and the last one perhaps cut."""
    if not text:
        return True
    return any(
        said.startswith(text)
        or (text.startswith(said) and _spoken(text[len(said) :], texts[:at] + texts[at + 1 :]))
        for at, said in enumerate(texts)
        if said
    )


def _through_a_fault(plan: DrillPlan, seen: Observation, record: WireRecord) -> Finding:
    """Take the whole answer of a hop whose fault spoils only its end; a good client takes it."""
    reply = record.reply
    whole = (
        plan.phase is not Phase.BEFORE_FIRST_BYTE
        and reply is not None
        and reply.finish is not None
        and reply.error is None
        and same_output(seen.reply.reading, reply)
    )
    if whole and plan.expect is not Expected.SERVED:
        return unknown(
            NAME,
            Kind.FAULT_NOT_HIT,
            f"{record.group} gave a whole answer, and its fault came after it: no refusal was due.",
            hop=record.group,
            remedy="Expect a refusal of faults that leave the client without an answer.",
        )
    if whole:
        return passed(NAME, f"{record.group} gave a whole answer, and its fault came after it.")
    return _wrong(f"is output of {record.group}, which was made to fail", record.group)


def _other_hop(plan: DrillPlan, seen: Observation, record: WireRecord) -> Finding:
    expected = plan.scenario.expected_hop
    served = plan.expect is Expected.SERVED
    if served and expected is not None and at_hop(seen, expected):
        return failed(
            NAME,
            Kind.HOP_FAILED,
            f"{expected} was contacted, and its answer did not reach the client: "
            f"{record.group} answered instead.",
            where=Where.HOP,
            hop=expected,
            remedy=f"Ask {expected} directly with the same request: the gateway could not use "
            "what it replied.",
        )
    return _wrong(f"came from {record.group}, which may not serve", record.group)


def _own_bytes(plan: DrillPlan, seen: Observation, record: WireRecord) -> Finding:
    if record.reply is None:
        return unknown(
            NAME,
            Kind.MODEL_UNRELIABLE,
            f"The reply of {record.group} was too long to be kept, so the client's answer could "
            "not be compared with it.",
            hop=record.group,
            remedy="Drill with a request that is answered in less than a megabyte.",
        )
    structured = plan.task.expect.schema is not None
    differing = changes(seen.reply.reading, record.reply, structured=structured)
    if any(change.output for change in differing):
        return failed(
            NAME,
            Kind.ANSWER_DEGRADED,
            f"The client's answer is not what {record.group} replied.",
            where=Where.GATEWAY,
            hop=record.group,
            remedy="Something between hop and client changes replies: look at guardrails, hooks "
            "and callbacks of the gateway.",
        )
    if record.outcome is AttemptOutcome.STOOD_IN and plan.require_real:
        return unknown(
            NAME,
            Kind.HOP_NOT_FORWARDABLE,
            f"{record.group} was answered by a stand-in: the gateway's routing is proven, the hop "
            "is not.",
            hop=record.group,
            remedy="Let it be called with --real-keys and a budget, or leave out --require-real.",
        )
    whose = "a stand-in for it" if record.outcome is AttemptOutcome.STOOD_IN else "its own bytes"
    return passed(NAME, f"The client's answer is that of {record.group}, by {whose}.")


def _wrong(what: str, hop: str | None) -> Finding:
    return failed(
        NAME,
        Kind.WRONG_HOP,
        f"The client's answer {what}.",
        where=Where.GATEWAY,
        hop=hop,
        remedy="Compare the fallbacks that the running gateway has loaded with those you meant.",
    )
