"""Were the tool calls made that the prompt demands, whole and right?"""

from collections import Counter
from collections.abc import Sequence

from chaos.judge.blame import Problem, Side, lay_blame
from chaos.judge.check import Check, Finding, Kind, Where, failed, passed
from chaos.judge.evidence import ANSWERED, has_answer, quote, source
from chaos.judge.json_value import doubled_key, json_object, same, undeclared, violation
from chaos.judge.leaks import call_markup, leaked_call, stray_markup
from chaos.judge.observation import Observation
from chaos.judge.tool_parsers import flags_for
from chaos.protocol.conversation import Finish, ToolCall
from chaos.protocol.reading import Defect, Reading
from chaos.scenario.plan import DrillPlan
from chaos.traffic.shape import ExpectedCall

NAME = "tool_calls"


def judge(plan: DrillPlan, seen: Observation) -> Finding:
    """Compare the client's calls with those that were to be made."""
    if not has_answer(seen):
        return passed(NAME, "There is no answer whose calls could be judged.")
    finding = lay_blame(
        NAME,
        plan,
        seen,
        problem_of,
        good=_made(plan.task.expect.calls),
        remedy="Check the engine's tool-call parser against its model, and its chat template.",
    )
    return finding if finding.kind is not None else _repaired(seen) or finding


def problem_of(plan: DrillPlan, reading: Reading, side: Side) -> Problem | None:
    """Say what is wrong with the calls of one reply; None if nothing is."""
    expected, calls = plan.task.expect.calls, reading.tool_calls
    if not expected:
        return _unasked(plan, calls, side)
    if not calls:
        return _none_made(expected, reading)
    loose = _loose_ends(reading, side)
    if loose is not None:
        return loose
    left = list(expected)
    for call in calls:
        problem = _wrong(call, reading, left, plan)
        if problem is not None:
            return problem
    if left:
        what = f"made {len(calls)} of {len(expected)} tool calls ({left[0].name} is missing)"
        return Problem(Kind.TOOL_CALL_MISSING, what)
    # Thoughts and control tokens in the text are for another check to find.
    markup = call_markup(reading.text)
    if markup is not None:
        what = f"makes the call, and has {markup!r} in its text too: {quote(reading.text, 120)}"
        return Problem(Kind.TOOL_CALL_LEAKED, what, certain=True)
    return None


def _none_made(expected: Sequence[ExpectedCall], reading: Reading) -> Problem:
    leaked = leaked_call(reading.text, expected) or leaked_call(
        reading.reasoning, expected, prose=True
    )
    if leaked is not None:
        what = f"has {leaked} in its text instead of a tool call: {quote(reading.text, 120)}"
        flags = flags_for(reading.text) or flags_for(reading.reasoning)
        remedy = f"Start the engine with the parser that reads this: {flags}." if flags else None
        return Problem(Kind.TOOL_CALL_LEAKED, what, certain=True, remedy=remedy)
    said = f": {quote(reading.text, 120)}" if reading.text.strip() else ""
    return Problem(Kind.TOOL_CALL_MISSING, f"makes no tool call, only text{said}")


def _unasked(plan: DrillPlan, calls: tuple[ToolCall, ...], side: Side) -> Problem | None:
    offered = {tool.name for tool in plan.task.ask.tools}
    # A schema may have been handed to the hop as a forced call; the client must not see it.
    unasked = [call for call in calls if side is Side.CLIENT or call.name in offered]
    if not unasked:
        return None
    return Problem(Kind.TOOL_CALL_INVALID, f"calls {unasked[0].name}, which nothing asked for")


def _loose_ends(reading: Reading, side: Side) -> Problem | None:
    """Look at what binds calls together: ids, places and fragments.

    A hop's format may know no ids; where it does, its reader has noted one that is missing.
    """
    ids = Counter(call.id for call in reading.tool_calls)
    bare = side is Side.CLIENT and (None in ids or "" in ids)
    if bare or reading.has(Defect.MISSING_CALL_ID):
        return _invalid("has a tool call without an id", certain=True)
    if reading.has(Defect.SHARED_INDEX):
        return _invalid("has two tool calls with the same index in its stream", certain=True)
    doubles = [id_ for id_, count in ids.items() if count > 1 and id_]
    if doubles:
        return _invalid(f"has two tool calls with the id {doubles[0]!r}", certain=True)
    if reading.has(Defect.ORPHAN_FRAGMENT):
        return _invalid("has fragments that belong to no tool call", certain=True)
    return None


def _wrong(
    call: ToolCall, reading: Reading, left: list[ExpectedCall], plan: DrillPlan
) -> Problem | None:
    """Say what is wrong with *call*; if nothing is, take what it fulfils off *left*."""
    wanted = [expected for expected in left if expected.name == call.name]
    if not wanted:
        also = "once more than asked" if _expects(plan, call.name) else "which nothing asked for"
        return _invalid(f"calls {call.name}, {also}")
    arguments = json_object(call.arguments)
    if arguments is None:
        # Out of tokens is the model's own length; anything else is a broken form.
        short = reading.finish is Finish.LENGTH
        what = f"calls {call.name} with arguments that are no JSON object: "
        return _invalid(what + quote(call.arguments, 120), certain=not short)
    twice = doubled_key(call.arguments)
    if twice is not None:
        return _invalid(f"calls {call.name} with the argument {twice!r} twice", certain=True)
    markup = stray_markup(call.arguments, plan.task.ask.text)
    if markup is not None:
        return _invalid(f"calls {call.name} with {markup!r} in its arguments", certain=True)
    broken = violation(arguments, wanted[0].schema)
    if broken is not None:
        return _invalid(f"calls {call.name} against its schema ({quote(broken, 120)})")
    strange = undeclared(arguments, wanted[0].schema)
    if strange is not None:
        return _invalid(f"calls {call.name} with {strange!r}, which the tool does not declare")
    for expected in wanted:
        if all(
            key in arguments and same(value, arguments[key])
            for key, value in expected.arguments.items()
        ):
            left.remove(expected)
            return None
    key, value = next(
        (key, value)
        for key, value in wanted[0].arguments.items()
        if key not in arguments or not same(value, arguments[key])
    )
    got = quote(str(arguments.get(key)), 60)
    return _invalid(f"calls {call.name} with {key} = {got} where {value!r} was to come back")


def _expects(plan: DrillPlan, name: str) -> bool:
    return any(expected.name == name for expected in plan.task.expect.calls)


def _repaired(seen: Observation) -> Finding | None:
    """Catch a call that looks right only because the gateway closed what had been cut."""
    record = source(seen)
    if record is None or record.outcome in ANSWERED or record.reply is None:
        return None
    cut = [call for call in record.reply.tool_calls if json_object(call.arguments) is None]
    if not cut:
        return None
    return failed(
        NAME,
        Kind.TOOL_CALL_INVALID,
        f"{record.group} broke off inside the call of {cut[0].name} "
        f"({quote(cut[0].arguments, 120)}), and the client got it repaired.",
        where=Where.GATEWAY,
        hop=record.group,
        remedy="Do not run calls from this endpoint unchecked: their arguments may be half.",
    )


def _invalid(what: str, *, certain: bool = False) -> Problem:
    return Problem(Kind.TOOL_CALL_INVALID, what, certain=certain)


def _made(expected: Sequence[ExpectedCall]) -> str:
    if not expected:
        return "No tool call was asked for, and none was made."
    return f"{', '.join(call.name for call in expected)} called as asked, arguments intact."


TOOL_CALLS = Check(NAME, "The tool calls that the prompt demands were made, whole.", judge)
