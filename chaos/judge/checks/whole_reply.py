"""Is an answer that was cut short upstream presented as complete?

What the client gets may lack an end only if it says so: an error, in its surface's format. A
finish reason that the upstream never gave is invented.
"""

from chaos.judge.check import Check, Finding, Kind, Where, failed, passed
from chaos.judge.evidence import ANSWERED, has_answer, source
from chaos.judge.json_value import json_object
from chaos.judge.observation import Observation
from chaos.protocol.conversation import Finish
from chaos.protocol.reading import Defect, Reading
from chaos.scenario.plan import DrillPlan
from chaos.witness.wire_record import WireRecord

NAME = "whole_reply"


def judge(plan: DrillPlan, seen: Observation) -> Finding:
    """Compare the end of what the client got with the end of what the upstream sent."""
    del plan
    client = seen.reply.reading
    if not has_answer(seen) or client.vector_sizes:
        return passed(NAME, "No text or call is presented as complete.")
    record = source(seen)
    cut = _cut(record) if record is not None else None
    if record is not None and cut is not None:
        return _truncated(client, f"{record.group}'s own reply {cut}", record)
    if client.finish is None:
        return _truncated(client, "the reply stops without saying why", record)
    if record is not None and record.reply is not None and _lost_tail(client, record.reply):
        lost = len(record.reply.text.rstrip()) - len(client.text.rstrip())
        return _truncated(client, f"the last {lost} characters of the hop's text are gone", record)
    return passed(NAME, f"The reply ends as its upstream ended it ({client.finish.value}).")


def _cut(record: WireRecord) -> str | None:
    """Say where an upstream's reply lacks something; None if it is all there.

    A missing terminator alone cuts nothing: the finish reason had come.
    """
    reply = record.reply
    if reply is None:
        return None
    if reply.finish is None:
        return "ended without a finish reason"
    if reply.has(Defect.TRUNCATED_EVENT, Defect.EVENT_NOT_JSON):
        return "had an unreadable event"
    half = [call.name for call in reply.tool_calls if json_object(call.arguments) is None]
    if record.outcome not in ANSWERED and half and reply.finish is not Finish.LENGTH:
        return f"ended inside the arguments of {half[0]}"
    return None


def _lost_tail(client: Reading, own: Reading) -> bool:
    ours, theirs = client.text.rstrip(), own.text.rstrip()
    return bool(ours) and len(ours) < len(theirs) and theirs.startswith(ours)


def _truncated(client: Reading, why: str, record: WireRecord | None) -> Finding:
    claim = f"says {client.finish.value!r}" if client.finish else "ends without an error"
    return failed(
        NAME,
        Kind.TRUNCATED_REPLY,
        f"An answer cut short is presented as complete: {why}, and the client's {claim}.",
        where=Where.GATEWAY,
        hop=record.group if record is not None else None,
        remedy="No client can see this. Prefer whole replies for work that must be complete, or "
        "check for the nonce, the closing bracket or the call's schema in the client.",
    )


WHOLE_REPLY = Check(NAME, "No answer cut short upstream is presented as complete.", judge)
