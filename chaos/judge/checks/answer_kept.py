"""Does the answer hold what the request needs: schema, values, needle, words, vectors?

A nonce that a model did not repeat in plain chat fails nothing by itself, but then nothing shows
that it answered this very request either: such a drill is inconclusive.
"""

import re

from chaos.judge.blame import Problem, Side, lay_blame
from chaos.judge.check import Check, Finding, Kind, Where, failed, passed, unknown
from chaos.judge.evidence import has_answer, quote, source
from chaos.judge.garble import garbled
from chaos.judge.json_value import doubled_key, json_object, json_value, same, violation
from chaos.judge.observation import Observation
from chaos.judge.vectors import unfit
from chaos.protocol.conversation import Ask, Finish, Json
from chaos.protocol.reading import Defect, Reading
from chaos.scenario.plan import DrillPlan
from chaos.traffic.shape import Expectation

NAME = "answer_kept"
MORE_CONTEXT = (
    "Give the hop a larger context: some servers cut a longer prompt and answer with 200 (Ollama: "
    "num_ctx in litellm_params, or OLLAMA_CONTEXT_LENGTH)."
)
CHARACTERS_PER_TOKEN = 4
ECHO_CHARS = 80
"""So much of the request in a row is no answer; a sentence may well be quoted."""

_LOOKED_AT_CHARS = 8_000

_WORD = re.compile(r"[^\W\d_]+")
_BROKEN_FORM = (
    Defect.NOT_JSON,
    Defect.NOT_AN_OBJECT,
    Defect.EVENT_NOT_JSON,
    Defect.TRUNCATED_EVENT,
    Defect.AFTER_END,
)
_TRIPS_LIBRARIES = (
    Defect.WRONG_SHAPE,
    Defect.NO_START,
    Defect.INDEX_GAP,
    Defect.ORPHAN_FRAGMENT,
)
"""What openai-python raises on, or reads another answer from."""


def judge(plan: DrillPlan, seen: Observation) -> Finding:
    """Compare the client's answer with what a good one has to hold."""
    if not has_answer(seen):
        return passed(NAME, "There is no answer to be judged.")
    broken = _form(plan, seen.reply.reading, Side.CLIENT) is not None
    finding = lay_blame(
        NAME,
        plan,
        seen,
        _form if broken else problem_of,
        good="The answer holds what was asked for.",
        remedy="Ask the hop directly with the same request, and compare it with the primary.",
    )
    return finding if finding.kind is not None else _nonce(plan, seen) or finding


def _form(plan: DrillPlan, reading: Reading, _side: Side) -> Problem | None:
    """Say how one reply breaks its own format; None if no client would mind."""
    for found in reading.defects:
        if found.defect in (*_BROKEN_FORM, *_TRIPS_LIBRARIES):
            in_calls = plan.task.expect.calls and found.defect in _TRIPS_LIBRARIES
            what = f"breaks its own format ({found.defect.value}: {quote(found.detail, 100)})"
            kind = Kind.TOOL_CALL_INVALID if in_calls else Kind.ANSWER_DEGRADED
            return Problem(kind, what, certain=True)
    return None


def problem_of(plan: DrillPlan, reading: Reading, side: Side) -> Problem | None:
    """Say what is missing in one reply; None if nothing is."""
    expect = plan.task.expect
    if expect.vectors:
        why = unfit(plan.task, reading)
        return Problem(Kind.ANSWER_DEGRADED, why, certain=True) if why else None
    if reading.finish is Finish.CONTENT_FILTER:
        return Problem(Kind.ANSWER_DEGRADED, "was ended by a content filter", certain=True)
    noise = garbled(reading.text)
    if noise is not None:
        return Problem(Kind.ANSWER_DEGRADED, f"is noise: it {noise}")
    if expect.schema is not None:
        return _structure(plan, reading, side, expect.schema)
    if expect.needle is not None:
        return _needle(reading, expect.needle, plan.task.ask)
    return _words(reading, expect)


def _needle(reading: Reading, needle: str, ask: Ask) -> Problem | None:
    said = quote(reading.text, 100)
    if not _names(reading.text, needle):
        what = f"does not name {needle!r}, which the request tells: {said}"
        counted = _counted_of_cut(reading, ask)
        if counted is None:
            return Problem(Kind.ANSWER_DEGRADED, what)
        return Problem(Kind.ANSWER_DEGRADED, f"{what}; {counted}", remedy=MORE_CONTEXT)
    if _echoes(reading.text, ask):
        return Problem(Kind.ANSWER_DEGRADED, f"repeats the question instead of answering: {said}")
    return None


def _counted_of_cut(reading: Reading, ask: Ask) -> str | None:
    """Say what the server counted, if it was so little that it must have cut the prompt."""
    counted = reading.usage.input_tokens if reading.usage is not None else None
    about = len(ask.text) // CHARACTERS_PER_TOKEN
    if not counted or counted * 2 > about:
        return None
    return f"it counted {counted:,} tokens of a prompt of about {about:,}, so the prompt was cut"


def _names(text: str, word: str) -> bool:
    """Tell whether *word* is in *text* as a word, in whatever case: a code with more is another."""
    letter = "[0-9A-Za-z]"
    found = re.search(rf"(?<!{letter}){re.escape(word)}(?!{letter})", text, re.IGNORECASE)
    return found is not None


def _words(reading: Reading, expect: Expectation) -> Problem | None:
    said = tuple(w for w in _WORD.findall(reading.text.lower()) if w in expect.words_among)
    if said == expect.words:
        return None
    what = f"says {', '.join(said) or 'none of the words'} instead of {', '.join(expect.words)}: "
    return Problem(Kind.ANSWER_DEGRADED, what + quote(reading.text, 100))


def _echoes(text: str, ask: Ask) -> bool:
    """Tell whether a long part of the request comes back as it was."""
    said, asked = _flat(text)[:_LOOKED_AT_CHARS], _flat(ask.text)
    half = ECHO_CHARS // 2
    return any(
        said[place : place + ECHO_CHARS] in asked
        for place in range(0, len(said) - ECHO_CHARS + 1, half)
    )


def _flat(text: str) -> str:
    return " ".join(text.split())


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
    for key, value in plan.task.expect.schema_values.items():
        if not any(isinstance(found, dict) and same(value, found.get(key)) for found in fitting):
            return Problem(Kind.ANSWER_DEGRADED, f"does not bring back {key} = {value!r}")
    twice = doubled_key(reading.text)
    if twice is not None:
        return Problem(Kind.ANSWER_DEGRADED, f"has the key {twice!r} twice", certain=True)
    return None


def _nonce(plan: DrillPlan, seen: Observation) -> Finding | None:
    """Look for the nonce that the answer should repeat."""
    if not plan.task.expect.nonce_in_text or _has(plan.nonce, seen.reply.reading):
        return None
    record = source(seen)
    own = record.reply if record is not None else None
    if record is not None and own is not None and _has(plan.nonce, own):
        return failed(
            NAME,
            Kind.ANSWER_DEGRADED,
            f"{record.group} gave the nonce, and the client did not get it: "
            f"{quote(seen.reply.reading.text, 120)}.",
            where=Where.GATEWAY,
            hop=record.group,
            remedy="Something between hop and client changes the text: look at guardrails and "
            "hooks.",
        )
    return unknown(
        NAME,
        Kind.MODEL_UNRELIABLE,
        f"The answer does not repeat the token {plan.nonce!r} as it was asked to, so nothing "
        f"shows that it answers this request: {quote(seen.reply.reading.text, 120)}.",
        hop=record.group if record is not None else None,
        remedy="Drill again; a model that often answers so is not a safe fallback.",
    )


def _has(nonce: str, reading: Reading) -> bool:
    return _names(reading.text, nonce)


ANSWER_KEPT = Check(NAME, "The answer holds what the request needs.", judge)
