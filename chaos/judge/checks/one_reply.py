"""Is the reply one upstream's output, or two put together?"""

from itertools import combinations

from chaos.judge.check import Check, Finding, Kind, Where, failed, passed
from chaos.judge.evidence import quote, same_output, source
from chaos.judge.observation import Observation
from chaos.protocol.conversation import ToolCall
from chaos.protocol.reading import Defect, Reading
from chaos.scenario.plan import DrillPlan

NAME = "one_reply"


def judge(plan: DrillPlan, seen: Observation) -> Finding:
    """Look for the output of two attempts in what the client got."""
    del plan
    client = seen.reply.reading
    if not seen.reply.ok or not client.has_output:
        return passed(NAME, "There is no output to be spliced.")
    spoke = [
        (record, record.reply)
        for record in seen.wire
        if record.reply is not None and (record.reply.text.strip() or record.reply.tool_calls)
    ]
    for (first, one), (second, other) in combinations(spoke, 2):
        how = _joined(client, one, other)
        if how is not None:
            names = (
                f"{first.group} (attempt {first.ordinal})",
                (f"{second.group} (attempt {second.ordinal})"),
            )
            return _spliced(f"{how} of {names[0]} and then of {names[1]}", client)
    beginnings = max(client.starts, len(client.ids))
    record = source(seen)
    as_sent = record is not None and record.reply is not None and same_output(client, record.reply)
    if beginnings > 1 and len(spoke) > 1 and not as_sent:
        return _spliced(f"{beginnings} beginnings, and no single upstream's output", client)
    own = record.reply if record is not None else None
    if client.has(Defect.SECOND_START) and own is not None and not own.has(Defect.SECOND_START):
        return _spliced(f"{beginnings} beginnings, and its upstream's reply has one", client)
    return passed(NAME, "The output is of one upstream.")


def _spliced(what: str, client: Reading) -> Finding:
    return failed(
        NAME,
        Kind.SPLICED_REPLY,
        f"One reply holds {what}: {quote(client.text, 120)}.",
        where=Where.GATEWAY,
        remedy="The gateway falls over after output has been sent; clients see a wrong text. "
        "Switch mid-stream fallbacks off for this endpoint.",
    )


def _joined(client: Reading, one: Reading, other: Reading) -> str | None:
    """Say how the output of *one* and then of *other* is in the client's; None if it is not."""
    text, first, second = client.text.strip(), one.text.strip(), other.text.strip()
    begins = bool(first) and text.startswith(first)
    if begins and second and text.find(second, len(first)) >= 0:
        return "the text"
    calls = _shape(client.tool_calls)
    ours, theirs = _shape(one.tool_calls), _shape(other.tool_calls)
    if ours and theirs and len(calls) >= len(ours) + len(theirs) and _has_all(calls, ours + theirs):
        return "the tool calls"
    if any(
        (call.name, call.arguments) in {(name, a + b) for name, a in ours for _, b in theirs if a}
        for call in client.tool_calls
    ):
        return "one tool call's arguments"
    if begins and not second.startswith(first) and theirs and _has_all(calls, theirs):
        return "text and a tool call"
    return None


def _shape(calls: tuple[ToolCall, ...]) -> list[tuple[str, str]]:
    return [(call.name, call.arguments) for call in calls]


def _has_all(calls: list[tuple[str, str]], wanted: list[tuple[str, str]]) -> bool:
    left = list(calls)
    for call in wanted:
        if call not in left:
            return False
        left.remove(call)
    return True


ONE_REPLY = Check(NAME, "One reply holds one upstream's output.", judge)
