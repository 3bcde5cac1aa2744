"""Does the answer hold what the request needs: schema, values, needle, vectors?

A nonce that a model did not repeat fails nothing by itself: only one that the hop gave and the
client did not get does.
"""

from chaos.judge.blame import Problem, Side, lay_blame
from chaos.judge.check import Check, Finding, Kind, Where, failed, passed
from chaos.judge.evidence import has_answer, quote, source
from chaos.judge.json_value import json_object, json_value, same, violation
from chaos.judge.observation import Observation
from chaos.protocol.conversation import Json
from chaos.protocol.reading import Defect, Reading
from chaos.scenario.plan import DrillPlan

NAME = "answer_kept"
_BROKEN_FORM = (
    Defect.NOT_JSON,
    Defect.NOT_AN_OBJECT,
    Defect.EVENT_NOT_JSON,
    Defect.TRUNCATED_EVENT,
    Defect.AFTER_END,
)


def judge(plan: DrillPlan, seen: Observation) -> Finding:
    """Compare the client's answer with what a good one has to hold."""
    if not has_answer(seen):
        return passed(NAME, "There is no answer to be judged.")
    finding = lay_blame(
        NAME,
        seen,
        lambda reading, side: problem_of(plan, reading, side),
        good="The answer holds what was asked for.",
        remedy="Ask the hop directly with the same request, and compare it with the primary.",
    )
    return finding if finding.kind is not None else _lost_nonce(plan, seen) or finding


def problem_of(plan: DrillPlan, reading: Reading, side: Side) -> Problem | None:
    """Say what is missing in one reply; None if nothing is."""
    expect = plan.task.expect
    if side is Side.CLIENT and reading.has(*_BROKEN_FORM):
        found = next(f for f in reading.defects if f.defect in _BROKEN_FORM)
        what = f"breaks its own format ({found.defect.value}: {quote(found.detail, 100)})"
        return Problem(Kind.ANSWER_DEGRADED, what, certain=True)
    if expect.vectors:
        return _vectors(reading, expect.vectors, plan.task.ask.dimensions)
    if expect.schema is not None:
        return _structure(plan, reading, side, expect.schema)
    if expect.needle is not None and expect.needle.lower() not in reading.text.lower():
        what = f"does not name {expect.needle!r}, which the context hides: "
        return Problem(Kind.ANSWER_DEGRADED, what + quote(reading.text, 100))
    return None


def _vectors(reading: Reading, wanted: int, dimensions: int | None) -> Problem | None:
    sizes = reading.vector_sizes
    what = None
    if len(sizes) != wanted:
        what = f"has {len(sizes)} embeddings for {wanted} texts"
    elif 0 in sizes or len(set(sizes)) > 1:
        what = f"has embeddings of the sizes {', '.join(map(str, sizes[:8]))}"
    elif dimensions is not None and sizes[0] != dimensions:
        what = f"has embeddings of {sizes[0]} numbers where {dimensions} were asked for"
    return Problem(Kind.ANSWER_DEGRADED, what, certain=True) if what else None


def _structure(plan: DrillPlan, reading: Reading, side: Side, schema: Json) -> Problem | None:
    written = [json_value(reading.text)]
    if side is not Side.CLIENT:
        # The gateway may ask for structure as a forced tool call, and unwrap it again.
        written += [json_object(call.arguments) for call in reading.tool_calls]
    values = [value for value in written if value is not None]
    if not values:
        what = f"is not JSON, though a schema was given: {quote(reading.text, 100)}"
        return Problem(Kind.ANSWER_DEGRADED, what)
    broken = [violation(value, schema) for value in values]
    fitting = [value for value, how in zip(values, broken, strict=True) if how is None]
    if not fitting:
        return Problem(Kind.ANSWER_DEGRADED, f"breaks its schema ({quote(broken[0], 120)})")
    nonce = plan.nonce if side is Side.SAMPLE else None
    for key, value in plan.task.expect.schema_values.items():
        if not any(
            isinstance(found, dict) and same(value, found.get(key), any_nonce_for=nonce)
            for found in fitting
        ):
            return Problem(Kind.ANSWER_DEGRADED, f"does not bring back {key} = {value!r}")
    return None


def _lost_nonce(plan: DrillPlan, seen: Observation) -> Finding | None:
    record = source(seen)
    own = record.reply if record is not None else None
    if not plan.task.expect.nonce_in_text or own is None or record is None:
        return None
    if plan.nonce not in own.text or plan.nonce in seen.reply.reading.text:
        return None
    return failed(
        NAME,
        Kind.ANSWER_DEGRADED,
        f"{record.group} gave the nonce, and the client did not get it: "
        f"{quote(seen.reply.reading.text, 120)}.",
        where=Where.GATEWAY,
        hop=record.group,
        remedy="Something between hop and client changes the text: look at guardrails and hooks.",
    )


ANSWER_KEPT = Check(NAME, "The answer holds what the request needs.", judge)
