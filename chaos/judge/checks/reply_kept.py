"""Did the client get what the serving hop replied? The witness holds the hop's own bytes.

Text, tool calls with their ids and order, embeddings, finish reason and usage are compared;
``chaos.judge.reply_changes`` says what a gateway may rightly make anew.
"""

from chaos.judge.check import Check, Finding, Kind, Where, failed, passed
from chaos.judge.evidence import ANSWERED, has_answer, source
from chaos.judge.observation import Observation
from chaos.judge.reply_changes import changes
from chaos.scenario.plan import DrillPlan
from chaos.witness.wire_record import WireRecord

NAME = "reply_kept"


def judge(plan: DrillPlan, seen: Observation) -> Finding:
    """Compare the client's reply with that of the hop whose output it is."""
    record = source(seen) if has_answer(seen) else None
    if record is None or record.reply is None or record.outcome not in ANSWERED:
        return passed(NAME, "There is no hop's own reply to compare with.")
    client, own = seen.reply.reading, record.reply
    structured = plan.task.expect.schema is not None
    found = changes(client, own, structured=structured)
    if not found:
        return passed(NAME, f"The client got what {record.group} replied.")
    kind = min((change.kind for change in found), key=lambda kind: kind.precedence)
    if _begins_with_another(seen, record):
        kind = Kind.SPLICED_REPLY
    return failed(
        NAME,
        kind,
        f"The client did not get what {record.group} replied: "
        f"{'; '.join(change.what for change in found)}.",
        where=Where.GATEWAY,
        hop=record.group,
        remedy="Something between hop and client changes replies: look at guardrails, hooks and "
        "callbacks of the gateway.",
    )


def _begins_with_another(seen: Observation, record: WireRecord) -> bool:
    """Tell whether the client first got what another attempt had said."""
    text = seen.reply.reading.text.strip()
    said = (r.reply.text.strip() for r in seen.wire if r is not record and r.reply is not None)
    return any(words and text.startswith(words) for words in said)


REPLY_KEPT = Check(NAME, "The client got what the serving hop replied.", judge)
