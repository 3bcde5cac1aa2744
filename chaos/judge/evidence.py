"""What the facts of a drill amount to, for checks to share: who was asked, who answered.

Nothing here judges. An attempt that came after its drill had ended (``late``) is evidence of
nothing: every function looks at the live attempts only.
"""

import re
from collections.abc import Iterable, Sequence

from chaos.faults.fault import Phase
from chaos.http_client import redirects, where_to
from chaos.judge.observation import Observation
from chaos.judge.vectors import same_vectors
from chaos.protocol.conversation import Finish, ToolCall
from chaos.protocol.reading import Reading
from chaos.scenario.expectation import Expected
from chaos.scenario.plan import DrillPlan
from chaos.witness.redaction import without_keys
from chaos.witness.wire_record import AttemptOutcome, WireRecord

QUOTE_CHARS = 200
_WORD = re.compile(r"\w+")
_OF_THE_FALLBACK = re.compile(r"Fallback to [^\n]{1,500}? also failed:|Error doing the fallback:")
ANSWERED = frozenset({AttemptOutcome.SERVED, AttemptOutcome.STOOD_IN})
"""Outcomes of an attempt at which a willing upstream gave its answer."""


def quote(text: str | None, limit: int = QUOTE_CHARS) -> str:
    """Quote *text* on one line, cut to *limit* characters; say so if there is none.

    What others wrote may hold control characters, which a terminal would obey, or halves of
    characters, which no file takes: none of them is passed on.
    """
    if not text or not text.strip():
        return "(no text)"
    text = without_keys(text)
    line = "".join(
        c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in " ".join(text.split())
    )
    return f"“{line if len(line) <= limit else line[: limit - 1] + '…'}”"


def times(count: int) -> str:
    """Say how often."""
    return "once" if count == 1 else f"{count} times"


def at_hop(seen: Observation, group: str) -> tuple[WireRecord, ...]:
    """List the attempts at *group*."""
    return tuple(record for record in seen.wire if record.group == group)


def good_record(seen: Observation) -> WireRecord | None:
    """Find the last attempt that a willing upstream answered."""
    return next((r for r in reversed(seen.wire) if r.outcome in ANSWERED), None)


def claims_success(seen: Observation) -> bool:
    """Tell whether the client was given an answer to take as complete: a 2xx, and no error."""
    reply = seen.reply
    return (
        reply.ok and reply.reading.error is None and reply.broke_off is None and not reply.timed_out
    )


def has_answer(seen: Observation) -> bool:
    """Tell whether the client was given something to use, and no error."""
    return claims_success(seen) and seen.reply.reading.has_output


def got_error(seen: Observation) -> bool:
    """Tell whether the client was told, or felt, that its request failed.

    A client that gave up at the deadline was told nothing: the gateway may still have been at
    it, so no hop's turn had necessarily come.
    """
    return not seen.reply.timed_out and not claims_success(seen)


def honest_error(seen: Observation) -> bool:
    """Tell whether the client got an error in its surface's own format."""
    reply = seen.reply
    error = reply.reading.error
    return (
        error is not None
        and error.well_formed
        and bool(error.message.strip())
        and (reply.ok or (reply.status or 0) >= 400)
        and reply.broke_off is None
        and not reply.timed_out
    )


def error_allowed(plan: DrillPlan, seen: Observation) -> bool:
    """Tell whether one honest error is a good end.

    Nothing is left to serve, or it is too late to, or the user expects no answer.
    """
    return (
        plan.scenario.everything_down
        or struck_late(plan, seen)
        or plan.expect is not Expected.SERVED
    )


def refuses(plan: DrillPlan, seen: Observation) -> bool:
    """Tell whether the client's honest error is a refusal, as far as its fault leaves room.

    A 4xx says "no"; a 5xx says "try again". Where output had been sent before the fault struck,
    no status can be taken back.
    """
    return 400 <= (seen.reply.status or 0) < 500 or struck_late(plan, seen)


def asked_besides(plan: DrillPlan, seen: Observation) -> tuple[str, ...]:
    """Name the groups that were contacted besides the primary, each once, in order."""
    own = plan.hops[0].group
    return tuple(dict.fromkeys(r.group for r in seen.wire if r.group and r.group != own))


def struck_late(plan: DrillPlan, seen: Observation) -> bool:
    """Tell whether the fault came after output that the client has: nobody can take it back.

    Where the gateway had passed on nothing yet, the next hop could still have answered.
    """
    reading = seen.reply.reading
    had_output = reading.has_output or bool(reading.reasoning.strip())
    return plan.phase is Phase.AFTER_FIRST_BYTE and had_output


def told(seen: Observation) -> str:
    """Say in a few words what the client got, for messages."""
    reply = seen.reply
    if reply.timed_out:
        return "nothing before the deadline"
    if reply.status is None:
        return f"no response ({reply.broke_off or 'nothing came'})"
    what = f"status {reply.status}"
    if redirects(reply.status):
        return f"{what}, a redirect to {where_to(reply.headers.get('location', ''))}"
    if reply.reading.error is not None:
        inside = " with the error" if reply.ok else ","
        return f"{what}{inside} {quote(reply.reading.error.message)}"
    if reply.broke_off is not None:
        return f"{what}, then the connection broke ({reply.broke_off})"
    return what


def last_reason(seen: Observation) -> str | None:
    """Give what LiteLLM says of the fallback, after what it says of the primary; None if nothing.

    Source: LiteLLM 1.82.6, 1.103.0 ("Error doing the fallback:") and 1.106.2 ("Fallback to … also
    failed:"), run.
    """
    error = seen.reply.reading.error
    parts = _OF_THE_FALLBACK.split(error.message if error is not None and error.message else "")
    return parts[-1].strip() or None if len(parts) > 1 else None


def overrun(plan: DrillPlan, seen: Observation) -> str | None:
    """Say which deadline of the client passed; None if none did."""
    reply = seen.reply
    if reply.timed_out:
        return f"no end of the reply within {plan.deadline_s:g} s"
    if reply.total_s is not None and reply.total_s > plan.deadline_s:
        return f"the reply took {reply.total_s:.1f} s, over {plan.deadline_s:g} s"
    # Without a stream the first token and the last arrive together.
    if plan.scenario.stream and reply.ttft_s is not None and reply.ttft_s > plan.first_token_s:
        return f"the first token took {reply.ttft_s:.1f} s, over {plan.first_token_s:g} s"
    return None


def source(seen: Observation) -> WireRecord | None:
    """Find the attempt whose output the client got; None if none on the wire fits.

    Willing upstreams come first, also where the gateway changed a part of what they said; a
    made-to-fail one counts only where its own output is what the client got.
    """
    client = seen.reply.reading
    if not client.has_output:
        return None
    willing = [r for r in seen.wire if r.outcome in ANSWERED]
    failing = [
        r
        for r in seen.wire
        if r.outcome not in ANSWERED and r.reply is not None and r.reply.has_output
    ]
    same = _last(r for r in willing if r.reply is not None and same_output(client, r.reply))
    same = same or _last(r for r in failing if r.reply is not None and same_output(client, r.reply))
    if same is not None:
        return same
    changed = _last(r for r in willing if r.reply is None or _akin(client, r.reply))
    return changed or _last(
        r for r in failing if r.reply is not None and _overlaps(client, r.reply)
    )


def same_output(one: Reading, other: Reading) -> bool:
    """Tell whether two replies carry the same text, the same calls and the same vectors."""
    return (
        one.text.strip() == other.text.strip()
        and _calls(one.tool_calls) == _calls(other.tool_calls)
        and same_vectors(one, other)
    )


def spent_in_reasoning(seen: Observation) -> bool:
    """Tell whether the answer ran out of tokens before it began, and says so."""
    client = seen.reply.reading
    if not claims_success(seen) or client.finish is not Finish.LENGTH or client.has_output:
        return False
    record = good_record(seen)
    readings = [client] if record is None or record.reply is None else [client, record.reply]
    return any(
        reading.reasoning.strip() or (reading.usage and reading.usage.reasoning_tokens)
        for reading in readings
    )


def _last(records: Iterable[WireRecord]) -> WireRecord | None:
    found = list(records)
    return found[-1] if found else None


def _calls(calls: Sequence[ToolCall]) -> list[tuple[str, str]]:
    # White space in arguments is the sender's taste; gateways write the JSON anew.
    return [(call.name, "".join(call.arguments.split())) for call in calls]


def _akin(client: Reading, own: Reading) -> bool:
    """Tell whether the client's output can be the hop's, changed on its way."""
    if client.vector_sizes or set(client.ids) & set(own.ids):
        return own.has_output
    ours, theirs = _words(client), _words(own)
    return 2 * len(ours & theirs) >= min(len(ours), len(theirs)) > 0


def _words(reading: Reading) -> set[str]:
    calls = " ".join(f"{call.name} {call.arguments}" for call in reading.tool_calls)
    return set(_WORD.findall(f"{reading.text} {reading.reasoning} {calls}".lower()))


def _overlaps(client: Reading, part: Reading) -> bool:
    ours, theirs = client.text.strip(), part.text.strip()
    if ours and theirs and (ours.startswith(theirs) or theirs.startswith(ours)):
        return True
    names = {call.name for call in part.tool_calls}
    return any(call.name in names for call in client.tool_calls)
